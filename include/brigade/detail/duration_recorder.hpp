// A histogram that one thread writes and any thread reads, without a locked operation.
//
// Invariants
// 1. There is one writer at a time, and each writer sees what the one before it wrote (for a
//    worker's recorders: the crew's word hands its slot on).
// 2. Counts, sum and maximum only grow.
//
// Ordering: sum and maximum are stored before the count in the bucket, which is a release; a reader
// takes the buckets first, by acquire. So what a reader counts is in its sum and maximum; both may
// be ahead by durations that it has not counted yet.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include <brigade/detail/duration_buckets.hpp>
#include <brigade/histogram.hpp>

namespace brigade::detail {

/// All zero is empty, so it may stand in memory that is zero pages until it is used.
class duration_recorder {
 public:
  /// By the one writer.
  void record(std::uint64_t nanoseconds, std::uint64_t times) noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;
    sum_.store(sum_.load(relaxed) + static_cast<double>(nanoseconds) * static_cast<double>(times),
               relaxed);
    if (nanoseconds > max_.load(relaxed)) max_.store(nanoseconds, relaxed);
    auto& count = counts_[bucket_of(nanoseconds)];
    count.store(count.load(relaxed) + times, std::memory_order_release);
  }

  /// Adds what has been recorded. Each count is one that the bucket had while this was running.
  /// Throws: `std::bad_alloc`; then nothing was added.
  void add_to(duration_histogram& sum) const;

 private:
  std::array<std::atomic<std::uint64_t>, duration_bucket_count> counts_{};
  std::atomic<double> sum_{0};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace brigade::detail
