// Memory for the one turn that a worker may have posted, so that waking a worker takes none.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <new>

namespace brigade::detail {

/// Room for one posted turn. A worker has at most one, and the crew's word orders its use by one
/// thread before its use by the next, so the flag needs no atomic.
class turn_memory {
 public:
  void* allocate(std::size_t size) {
    if (in_use_ || size > sizeof block_) return ::operator new(size);
    in_use_ = true;
    return block_;
  }
  void deallocate(void* memory) noexcept {
    if (memory == block_) {
      in_use_ = false;
    } else {
      ::operator delete(memory);
    }
  }

 private:
  alignas(std::max_align_t) std::byte block_[256];
  bool in_use_ = false;
};

/// The allocator through which Asio uses a turn_memory.
template <class T>
class turn_allocator {
 public:
  using value_type = T;

  explicit turn_allocator(turn_memory& memory) noexcept : memory_(&memory) {}
  template <class U>
  turn_allocator(turn_allocator<U> const& other) noexcept : memory_(other.memory_) {}

  T* allocate(std::size_t n) { return static_cast<T*>(memory_->allocate(n * sizeof(T))); }
  void deallocate(T* p, std::size_t) noexcept { memory_->deallocate(p); }

  template <class U>
  bool operator==(turn_allocator<U> const& other) const noexcept {
    return memory_ == other.memory_;
  }

 private:
  template <class>
  friend class turn_allocator;
  turn_memory* memory_;
};

}  // namespace brigade::detail
