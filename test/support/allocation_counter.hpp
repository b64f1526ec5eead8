// Counts blocks taken from the heap. Link brigade_allocation_counter.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace test {

/// Counts the blocks that all threads take from the heap while it lives. One at a time; outside of
/// it nothing is counted, and nothing paid for it.
class allocation_count {
 public:
  allocation_count() noexcept;
  ~allocation_count();
  allocation_count(allocation_count const&) = delete;
  allocation_count& operator=(allocation_count const&) = delete;

  [[nodiscard]] std::size_t so_far() const noexcept;
};

}  // namespace test
