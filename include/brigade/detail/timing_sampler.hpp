// Which jobs are timed.
//
// A time stamp costs as much as a tiny job does. So while jobs are tiny one in 64 is timed and
// stands for 64, and one in 256 for 256 while there are very many of them; while they are long all
// are. Which ones is decided by a hash of the position: multiples of the golden ratio are spread
// evenly over any arithmetic sequence of positions, so no period in what the caller submits can fall
// in step with it.
//
// Ordering: relaxed. The words are hints that workers change rarely; a job is judged by one read of
// one, and carries its weight along, so the estimate is right whatever the words are meanwhile.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include <brigade/detail/moving_average.hpp>
#include <brigade/options.hpp>

namespace brigade::detail {

class timing_sampler {
 public:
  explicit timing_sampler(timing mode) noexcept
      : adapts_(mode == timing::sampled),
        untraced_(mode == timing::off ? none : every),
        below_(mode == timing::off ? none : every) {}

  /// For how many jobs the one at `position` is timed: none, itself, or itself and others that are
  /// not.
  [[nodiscard]] unsigned weight_of(std::uint64_t position) const noexcept {
    auto const below = below_.load(std::memory_order_relaxed);
    if (static_cast<std::uint32_t>(position) * golden >= below) [[likely]]
      return 0;
    return 1U << (32 - std::countr_zero(below));
  }

  /// By a worker, of its jobs.
  void adapt(moving_average::reading lately) noexcept {
    if (!adapts_) return;
    auto const now = untraced_.load(std::memory_order_relaxed);
    auto const wanted = wanted_for(lately, now);
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
  // Two thresholds for each step, so that the word is not changed back and forth.
  static std::uint64_t wanted_for(moving_average::reading lately, std::uint64_t now) noexcept {
    if (lately.mean > large) return every;
    if (lately.mean >= tiny && now == every) return every;
    if (lately.jobs > very_many) return one_in_256;
    return lately.jobs >= many && now == one_in_256 ? one_in_256 : one_in_64;
  }

  static constexpr std::uint32_t golden = 0x9e3779b9;
  static constexpr std::uint64_t none = 0;
  static constexpr std::uint64_t one_in_256 = std::uint64_t{1} << 24;
  static constexpr std::uint64_t one_in_64 = std::uint64_t{1} << 26;
  static constexpr std::uint64_t every = std::uint64_t{1} << 32;
  static constexpr double tiny = 4'000;  // nanoseconds a job
  static constexpr double large = 8'000;
  static constexpr double many = 100'000;  // jobs, of about the last second
  static constexpr double very_many = 400'000;

  bool const adapts_;
  std::atomic<std::uint64_t> untraced_;  // what below_ is while nobody traces
  std::atomic<std::uint64_t> below_;     // jobs are timed whose hash is
};

}  // namespace brigade::detail
