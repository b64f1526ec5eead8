// A counter in the processor that is read in a fraction of the time that a clock takes.
//
// It says that a time was short, and no more: it runs at about a GHz or faster, but how fast is not
// known, and a thread that changes processors may see it jump.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace brigade::detail {

struct tick_counter {
#if defined(__x86_64__) || defined(_M_X64)
  static constexpr bool exists = true;
  static std::uint64_t now() noexcept { return __rdtsc(); }
#else
  static constexpr bool exists = false;
  static std::uint64_t now() noexcept { return 0; }
#endif
};

}  // namespace brigade::detail
