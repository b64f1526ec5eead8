// An object in memory from somebody's allocator, owned through a pointer.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <utility>

namespace brigade::detail {

template <class T, class Allocator>
using rebound = typename std::allocator_traits<Allocator>::template rebind_alloc<T>;

/// Makes a T in memory from `allocator`. Throws what that or T's constructor throws; nothing leaks.
template <class T, class Allocator, class... Args>
T* make_boxed(Allocator const& allocator, Args&&... args) {
  rebound<T, Allocator> memory(allocator);
  T* const object = std::allocator_traits<decltype(memory)>::allocate(memory, 1);
  try {
    return ::new (static_cast<void*>(object)) T{std::forward<Args>(args)...};
  } catch (...) {
    std::allocator_traits<decltype(memory)>::deallocate(memory, object, 1);
    throw;
  }
}

/// Destroys what make_boxed() made, and gives the memory back to an equal allocator. Takes that by
/// value: GCC 12 warns its users that an empty one, which has nothing to initialize, is not.
template <class T, class Allocator>
void destroy_boxed(T* object, Allocator allocator) noexcept {
  rebound<T, Allocator> memory(allocator);
  object->~T();
  std::allocator_traits<decltype(memory)>::deallocate(memory, object, 1);
}

}  // namespace brigade::detail
