// The ledger identity: every admitted job is somewhere, once.
// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace test {

/// Whether the numbers of a pool, or of one lane, add up and keep the bound.
template <class Numbers>
[[nodiscard]] bool balanced(Numbers const& n) {
  auto const ended = n.completed + n.failed + n.cancelled + n.expired + n.shed;
  auto const in_flight = n.queued_jobs + n.running_jobs;
  return n.admitted == ended + in_flight && in_flight <= n.capacity;
}

}  // namespace test
