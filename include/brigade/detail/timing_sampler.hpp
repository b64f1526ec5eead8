// Which jobs are timed.
//
// A time stamp costs as much as a tiny job does. So while jobs are tiny one in 64 is timed and
// stands for 64; while they are long all are. Which one in 64 is decided by a hash of its position:
// multiples of the golden ratio are spread evenly over any arithmetic sequence of positions, so no
// period in what the caller submits can fall in step with it.
//
// Ordering: relaxed. The words are hints that workers change rarely; a job is judged by one read of
// one, and carries its weight along, so the estimate is right whatever the words are meanwhile.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

#include <brigade/options.hpp>

namespace brigade::detail {

class timing_sampler {
 public:
  explicit timing_sampler(timing mode) noexcept
      : adapts_(mode == timing::sampled),
        untraced_(mode == timing::off ? none : every),
        below_(mode == timing::off ? none : every) {}

  /// For how many jobs the one at `position` is timed: none, itself, or itself and 63 others.
  [[nodiscard]] unsigned weight_of(std::uint64_t position) const noexcept {
    auto const below = below_.load(std::memory_order_relaxed);
    if (static_cast<std::uint32_t>(position) * golden >= below) [[likely]]
      return 0;
    return below == one_in_64 ? 64 : 1;
  }

  /// By workers: how long jobs have taken lately, on average.
  void adapt(double mean_nanoseconds) noexcept {
    if (!adapts_) return;
    auto const now = untraced_.load(std::memory_order_relaxed);
    // Two thresholds, so that the word is not changed back and forth.
    auto const wanted = mean_nanoseconds < tiny    ? one_in_64
                        : mean_nanoseconds > large ? every
                                                   : now;
    if (wanted == now) return;
    untraced_.store(wanted, std::memory_order_relaxed);
    if (below_.load(std::memory_order_relaxed) == now) {
      below_.store(wanted, std::memory_order_relaxed);
    }
  }

  /// By workers, now and then: whether every job is to be timed because somebody traces them.
  void trace(bool all) noexcept {
    auto const wanted = all ? every : untraced_.load(std::memory_order_relaxed);
    if (wanted != below_.load(std::memory_order_relaxed)) {
      below_.store(wanted, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr std::uint32_t golden = 0x9e3779b9;
  static constexpr std::uint64_t none = 0;
  static constexpr std::uint64_t one_in_64 = std::uint64_t{1} << 26;
  static constexpr std::uint64_t every = std::uint64_t{1} << 32;
  static constexpr double tiny = 4'000;
  static constexpr double large = 8'000;

  bool const adapts_;
  std::atomic<std::uint64_t> untraced_;  // what below_ is while nobody traces
  std::atomic<std::uint64_t> below_;     // jobs are timed whose hash is
};

}  // namespace brigade::detail
