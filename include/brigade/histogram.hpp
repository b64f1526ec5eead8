// brigade: how long things took, as a distribution in fixed memory.
//
//   auto const wait = pool.metrics().queue_wait;
//   fmt::print("{} jobs, p99 {} ns\n", wait.count(), wait.quantile(0.99).count());
//
// Thread safety: plain data.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ratio>
#include <vector>

namespace brigade {

namespace detail {
class duration_recorder;
}

/// Durations, counted in buckets of log-linear width: each power of two of nanoseconds is cut in
/// 16. What is read off it is too long by a 16th (6.25 %) at the most, and never too short; below
/// 32 ns it is exact. Durations of 2^45 ns (9 h 46 min) and more share the last bucket, negative
/// ones count as 0.
///
/// Takes 8 bytes for each bucket up to the highest one in use, 5376 at the most; none while empty.
class duration_histogram {
 public:
  using duration = std::chrono::nanoseconds;

  /// Adds a duration, `times` times.
  /// Throws: `std::bad_alloc`; then nothing was added.
  void record(duration value, std::uint64_t times = 1);

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

  /// How many durations there are.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  /// Their sum. Not rounded to buckets; exact up to 104 days, and to 16 digits beyond.
  [[nodiscard]] std::chrono::duration<double, std::nano> sum() const noexcept {
    return std::chrono::duration<double, std::nano>(sum_);
  }

  /// The longest one, not rounded; zero where there is none.
  [[nodiscard]] duration max() const noexcept { return duration(static_cast<duration::rep>(max_)); }

  /// A duration that the share `q` of all (0 to 1, else the nearer of the two) do not exceed: at
  /// least the true quantile and at most a 16th more; `quantile(1)` is max(). Zero where there is
  /// none. Of the last bucket: max().
  [[nodiscard]] duration quantile(double q) const noexcept;

  /// How many durations are shorter than `bound`. Exact if `bound` is the begin of a bucket, as
  /// every power of two of nanoseconds is, or more than max(). Else the one bucket around it is
  /// shared out as if all in it lay evenly: that is off by less than the bucket's count, and the
  /// same as the exact answer for a bound that is off by less than a 16th.
  [[nodiscard]] std::uint64_t count_below(duration bound) const noexcept;

  /// Adds all that `other` has.
  /// Throws: `std::bad_alloc`; then nothing was added.
  duration_histogram& operator+=(duration_histogram const& other);

  /// Whether the same number of durations is in each bucket, and sum and maximum are the same.
  friend bool operator==(duration_histogram const&, duration_histogram const&) = default;

 private:
  friend class detail::duration_recorder;

  // Ends with the highest bucket that is not empty.
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  double sum_ = 0;  // whole nanoseconds; of many queued jobs they soon are too many for 64 bits
  std::uint64_t max_ = 0;
};

}  // namespace brigade
