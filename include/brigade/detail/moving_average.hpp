// How long a job takes, lately: an average in which a job counts half as much with every window of
// about a second that has passed since.
//
// Invariants
// 1. One writer at a time, which sees what the one before it wrote.
// 2. Mean, weight and window are each right by themselves. A reader may see a mean that is newer
//    than the weight, or the other way round: then one step's jobs count a little more or less.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>

namespace brigade::detail {

/// All zero has seen no job. Times are nanoseconds of one clock.
class moving_average {
 public:
  struct reading {
    double mean = 0;
    double jobs = 0;  // that it was made from, older ones in part
  };

  /// By the one writer: up to `now`, `jobs` jobs have taken `elapsed` together.
  reading add(std::int64_t now, std::int64_t elapsed, std::uint64_t jobs) noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;
    auto weight = weight_.load(relaxed);
    auto mean = mean_.load(relaxed);
    if (auto const window = window_of(now); window != window_.load(relaxed)) {
      weight *= faded(window - window_.load(relaxed));
      window_.store(window, relaxed);
    }
    auto const more = static_cast<double>(jobs);
    weight += more;
    mean += (static_cast<double>(elapsed) - mean * more) / weight;
    weight_.store(weight, relaxed);
    mean_.store(mean, relaxed);
    return {mean, weight};
  }

  /// The averages of several writers as one.
  class merged {
   public:
    void add(moving_average const& one) noexcept {
      auto const weight = one.weight_.load(std::memory_order_relaxed);
      if (weight == 0) return;
      auto const window = one.window_.load(std::memory_order_relaxed);
      // Faded to the later of the two windows; how long ago that is makes no difference to a mean.
      if (window > window_) {
        weight_ *= faded(window - window_);
        window_ = window;
      }
      auto const own = weight * faded(window_ - window);
      weight_ += own;
      if (weight_ > 0) {
        mean_ += (one.mean_.load(std::memory_order_relaxed) - mean_) * (own / weight_);
      }
    }
    /// Zero where there was no job.
    [[nodiscard]] double mean() const noexcept { return mean_; }

   private:
    double mean_ = 0;
    double weight_ = 0;
    std::int64_t window_ = 0;
  };

 private:
  static constexpr std::int64_t window_of(std::int64_t now) noexcept { return now >> 30; }
  static double faded(std::int64_t windows) noexcept {
    return windows > 1000 ? 0.0 : std::ldexp(1.0, -static_cast<int>(windows));
  }

  std::atomic<double> mean_{0};
  std::atomic<double> weight_{0};
  std::atomic<std::int64_t> window_{0};
};

}  // namespace brigade::detail
