// SPDX-License-Identifier: BSL-1.0
#include "support/allocation_counter.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>

// The GNU C library's own, behind the names that a program may replace. Asio takes its memory from
// aligned_alloc and not from operator new, so that only here all of it is seen.
extern "C" void* __libc_malloc(std::size_t size) noexcept;
extern "C" void* __libc_calloc(std::size_t count, std::size_t size) noexcept;
extern "C" void* __libc_realloc(void* memory, std::size_t size) noexcept;
extern "C" void* __libc_memalign(std::size_t alignment, std::size_t size) noexcept;

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> count{0};

void* counted(void* memory) {
  if (counting.load(std::memory_order_relaxed)) count.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

}  // namespace

extern "C" void* malloc(std::size_t size) noexcept { return counted(__libc_malloc(size)); }
extern "C" void* calloc(std::size_t number, std::size_t size) noexcept {
  return counted(__libc_calloc(number, size));
}
extern "C" void* realloc(void* memory, std::size_t size) noexcept {
  return counted(__libc_realloc(memory, size));
}
extern "C" void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return counted(__libc_memalign(alignment, size));
}
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return counted(__libc_memalign(alignment, size));
}
extern "C" int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  *memory = counted(__libc_memalign(alignment, size));
  return *memory == nullptr ? ENOMEM : 0;
}

namespace test {

allocation_count::allocation_count() noexcept {
  count = 0;
  counting = true;
}

allocation_count::~allocation_count() { counting = false; }

std::size_t allocation_count::so_far() const noexcept { return count; }

}  // namespace test
