// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/duration_recorder.hpp>

#include <algorithm>

namespace brigade::detail {

void duration_recorder::add_to(duration_histogram& sum) const {
  // What was counted before this call is at or below the bucket of the maximum as it is now.
  auto const top = bucket_of(max_.load(std::memory_order_relaxed));
  if (top == 0 && counts_[0].load(std::memory_order_acquire) == 0) return;
  auto const before = sum.buckets_.size();
  if (before <= top) sum.buckets_.resize(top + 1);
  std::size_t used = 0;
  for (std::size_t bucket = 0; bucket <= top; ++bucket) {
    auto const count = counts_[bucket].load(std::memory_order_acquire);
    if (count == 0) continue;
    sum.buckets_[bucket] += count;
    sum.count_ += count;
    used = bucket + 1;
  }
  sum.buckets_.resize(std::max(before, used));
  if (used == 0) return;
  sum.sum_ += sum_.load(std::memory_order_relaxed);
  // A longer one that is not counted yet may be the maximum already; it is not in these buckets.
  auto const longest = max_.load(std::memory_order_relaxed);
  auto const in_buckets = used == duration_bucket_count ? longest : bucket_begin(used) - 1;
  sum.max_ = std::max(sum.max_, std::min(longest, in_buckets));
}

}  // namespace brigade::detail
