// Counts blocks taken from the heap, and refuses them. Link brigade_allocation_counter.
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

/// While it lives, the `nth` block (from 0) that the calling thread takes from the heap cannot be
/// had: malloc gives null, operator new throws `std::bad_alloc`. With `all_after`, none after it
/// either.
class allocation_failure {
 public:
  explicit allocation_failure(std::size_t nth, bool all_after = false) noexcept;
  ~allocation_failure();
  allocation_failure(allocation_failure const&) = delete;
  allocation_failure& operator=(allocation_failure const&) = delete;

  /// Whether it has come to the nth.
  [[nodiscard]] bool happened() const noexcept;
};

/// From now on blocks that are taken and given back are counted, at the price of a shared counter.
bool track_live_blocks() noexcept;

/// Blocks that have been taken from the heap and not given back since, by all threads.
[[nodiscard]] std::ptrdiff_t live_blocks() noexcept;

}  // namespace test
