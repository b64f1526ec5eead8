// What a thread does while it waits for another one's next few instructions.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <thread>

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
#include <immintrin.h>
#endif

namespace brigade::detail {

/// Tells the processor that this is a waiting loop.
inline void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// Lap `lap` (from 1) of a waiting loop: pauses, and gives the processor away on every 64th, since
/// the thread that is waited for may need this very core.
inline void relax(unsigned lap) noexcept {
  if (lap % 64 == 0) {
    std::this_thread::yield();
  } else {
    pause();
  }
}

/// Wait `wait` (from 0) between two looks at a full pool, each of which takes cache lines away from
/// the workers: 256 pauses, some 5 us, in which they do a good part of a queue of tiny jobs; every
/// other time it gives the processor away, since they may need it.
inline void stand_back(unsigned wait) noexcept {
  if (wait % 2 == 0) {
    for (unsigned i = 0; i != 256; ++i) pause();
  } else {
    std::this_thread::yield();
  }
}

/// Asks for the cache line of `address` ahead of a write to it.
inline void prefetch_for_write(void const* address) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(address, 1);
#else
  (void)address;
#endif
}

}  // namespace brigade::detail
