// Which jobs are timed.
//
// A time stamp costs as much as a tiny job does. So while jobs are tiny one in 64 is timed and
// stands for 64; while they are long all are. Which one in 64 is decided by a hash of its position:
// multiples of the golden ratio are spread evenly over any arithmetic sequence of positions, so no
// period in what the caller submits can fall in step with it.
//
// Ordering: relaxed. The one word is a hint that workers change rarely; a job is judged by one read
// of it, and carries its weight along, so the estimate is right whatever the word is meanwhile.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

#include <brigade/options.hpp>

namespace brigade::detail {

class timing_sampler {
 public:
  explicit timing_sampler(timing mode) noexcept
      : adapts_(mode == timing::sampled), below_(mode == timing::off ? none : every) {}

  /// For how many jobs the one at `position` is timed: none, itself, or itself and 63 others.
  [[nodiscard]] unsigned weight_of(std::uint64_t position) const noexcept {
    auto const below = below_.load(std::memory_order_relaxed);
    if (position * golden >= below) return 0;
    return below == one_in_64 ? 64 : 1;
  }

  /// By workers: how long jobs have taken lately, on average.
  void adapt(double mean_nanoseconds) noexcept {
    if (!adapts_) return;
    auto const now = below_.load(std::memory_order_relaxed);
    // Two thresholds, so that the word is not changed back and forth.
    auto const wanted = mean_nanoseconds < tiny    ? one_in_64
                        : mean_nanoseconds > long_ ? every
                                                   : now;
    if (wanted != now) below_.store(wanted, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
  static constexpr std::uint64_t none = 0;
  static constexpr std::uint64_t one_in_64 = std::uint64_t{1} << 58;
  static constexpr std::uint64_t every = ~std::uint64_t{0};
  static constexpr double tiny = 4'000;
  static constexpr double long_ = 8'000;

  bool const adapts_;
  std::atomic<std::uint64_t> below_;
};

}  // namespace brigade::detail
