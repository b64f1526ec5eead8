// An allocator that knows how much of its memory is in use.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace test {

struct memory_count {
  std::atomic<std::ptrdiff_t> live{0};
  std::atomic<int> allocations{0};
};

template <class T>
struct counting_allocator {
  using value_type = T;
  explicit counting_allocator(memory_count& c) noexcept : count(&c) {}
  template <class U>
  counting_allocator(counting_allocator<U> const& other) noexcept : count(other.count) {}

  T* allocate(std::size_t n) {
    count->live.fetch_add(static_cast<std::ptrdiff_t>(n * sizeof(T)));
    count->allocations.fetch_add(1);
    return std::allocator<T>{}.allocate(n);
  }
  void deallocate(T* memory, std::size_t n) noexcept {
    count->live.fetch_sub(static_cast<std::ptrdiff_t>(n * sizeof(T)));
    std::allocator<T>{}.deallocate(memory, n);
  }
  template <class U>
  bool operator==(counting_allocator<U> const& other) const noexcept {
    return count == other.count;
  }

  memory_count* count;
};

}  // namespace test
