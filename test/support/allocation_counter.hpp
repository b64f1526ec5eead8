// Counts what the global operator new is asked for. Link brigade_allocation_counter.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace test {

/// Calls of operator new by all threads of the process so far.
std::size_t allocations() noexcept;

}  // namespace test
