// The atomics of the protocol, in one place: of the admission word, the ring, the crew, the ledger
// and the waiting line. They are the standard ones; the tests in test/schedules compile the same
// files with a header of theirs in the place of this one, and so decide who goes next and who sees
// what.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

namespace brigade::detail {

template <class T>
using atomic = std::atomic<T>;

}  // namespace brigade::detail
