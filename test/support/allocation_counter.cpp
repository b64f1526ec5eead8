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
extern "C" void __libc_free(void* memory) noexcept;

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> count{0};
std::atomic<bool> tracking{false};
std::atomic<std::ptrdiff_t> live{0};

// How many blocks the thread may still take; none of it where `failing` is not set.
struct failure {
  bool failing = false;
  bool all_after = false;
  bool happened = false;
  std::size_t left = 0;
};
constinit thread_local failure mine{};

bool refused() noexcept {
  if (!mine.failing) [[likely]]
    return false;
  if (mine.left != 0) {
    --mine.left;
    return false;
  }
  if (mine.happened && !mine.all_after) return false;
  mine.happened = true;
  errno = ENOMEM;
  return true;
}

template <class Take>
void* counted(Take take) noexcept {
  if (refused()) return nullptr;
  void* const memory = take();
  if (tracking.load(std::memory_order_relaxed) && memory != nullptr) {
    live.fetch_add(1, std::memory_order_relaxed);
  }
  if (counting.load(std::memory_order_relaxed)) count.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

}  // namespace

extern "C" void* malloc(std::size_t size) noexcept {
  return counted([=] { return __libc_malloc(size); });
}
extern "C" void* calloc(std::size_t number, std::size_t size) noexcept {
  return counted([=] { return __libc_calloc(number, size); });
}
extern "C" void* realloc(void* memory, std::size_t size) noexcept {
  if (memory == nullptr) return malloc(size);
  if (refused()) return nullptr;
  if (counting.load(std::memory_order_relaxed)) count.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
extern "C" void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return counted([=] { return __libc_memalign(alignment, size); });
}
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return counted([=] { return __libc_memalign(alignment, size); });
}
extern "C" int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  *memory = counted([=] { return __libc_memalign(alignment, size); });
  return *memory == nullptr ? ENOMEM : 0;
}
extern "C" void free(void* memory) noexcept {
  if (tracking.load(std::memory_order_relaxed) && memory != nullptr) {
    live.fetch_sub(1, std::memory_order_relaxed);
  }
  __libc_free(memory);
}

namespace test {

allocation_count::allocation_count() noexcept {
  count = 0;
  counting = true;
}

allocation_count::~allocation_count() { counting = false; }

std::size_t allocation_count::so_far() const noexcept { return count; }

allocation_failure::allocation_failure(std::size_t nth, bool all_after) noexcept {
  mine = {.failing = true, .all_after = all_after, .left = nth};
}

allocation_failure::~allocation_failure() { mine.failing = false; }

bool allocation_failure::happened() const noexcept { return mine.happened; }

bool track_live_blocks() noexcept {
  tracking = true;
  return true;
}

std::ptrdiff_t live_blocks() noexcept { return live.load(std::memory_order_relaxed); }

}  // namespace test
