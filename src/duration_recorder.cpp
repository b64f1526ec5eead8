// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/duration_recorder.hpp>

#include <algorithm>

namespace brigade::detail {

void duration_recorder::add_to(duration_histogram& sum) const {
  duration_histogram own;
  // What was counted before this call is at or below the bucket of the maximum as it is now.
  auto const top = bucket_of(max_.load(std::memory_order_relaxed));
  for (std::size_t bucket = 0; bucket <= top; ++bucket) {
    auto const count = counts_[bucket].load(std::memory_order_acquire);
    if (count == 0) continue;
    own.buckets_.resize(bucket + 1);
    own.buckets_[bucket] = count;
    own.count_ += count;
  }
  if (own.empty()) return;
  own.sum_ = sum_.load(std::memory_order_relaxed);
  own.max_ = max_.load(std::memory_order_relaxed);
  // A longer one that is not counted yet may be the maximum already; it is not in these buckets.
  auto const used = own.buckets_.size();
  if (used != duration_bucket_count) own.max_ = std::min(own.max_, bucket_begin(used) - 1);
  sum += own;
}

}  // namespace brigade::detail
