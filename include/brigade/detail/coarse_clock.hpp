// A clock that is cheap enough to be read for every job.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

#if defined(__linux__)
#include <ctime>
#endif

namespace brigade::detail {

/// Milliseconds of monotonic time, modulo 2^32 (49 days).
inline std::uint32_t fine_milliseconds() noexcept {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

/// The same; on Linux by the kernel's own tick, which costs about a quarter of a steady_clock read
/// and steps by 1 to 10 ms.
inline std::uint32_t coarse_milliseconds() noexcept {
#if defined(__linux__) && defined(CLOCK_MONOTONIC_COARSE)
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(now.tv_sec) * 1000 +
                                    static_cast<std::uint64_t>(now.tv_nsec) / 1000000);
#else
  return fine_milliseconds();
#endif
}

/// How long ago `stamp` was taken. A stamp from another thread may be ahead of this one's clock
/// by a tick; that reads as zero.
inline std::chrono::milliseconds age_of(std::uint32_t stamp) noexcept {
  auto const ticks = static_cast<std::int32_t>(coarse_milliseconds() - stamp);
  return std::chrono::milliseconds{ticks < 0 && ticks > -1000 ? 0
                                                              : static_cast<std::uint32_t>(ticks)};
}

}  // namespace brigade::detail
