// SPDX-License-Identifier: BSL-1.0
#include <brigade/histogram.hpp>

#include <algorithm>
#include <cmath>

#include <brigade/detail/duration_buckets.hpp>

namespace brigade {

namespace {

std::uint64_t not_negative(duration_histogram::duration value) noexcept {
  return value.count() < 0 ? 0 : static_cast<std::uint64_t>(value.count());
}

}  // namespace

void duration_histogram::record(duration value, std::uint64_t times) {
  if (times == 0) return;
  auto const nanoseconds = not_negative(value);
  auto const bucket = detail::bucket_of(nanoseconds);
  if (buckets_.size() <= bucket) buckets_.resize(bucket + 1);
  buckets_[bucket] += times;
  count_ += times;
  sum_ += static_cast<double>(nanoseconds) * static_cast<double>(times);
  max_ = std::max(max_, nanoseconds);
}

duration_histogram::duration duration_histogram::quantile(double q) const noexcept {
  if (empty()) return duration::zero();
  auto const share = q > 0 ? std::min(q, 1.0) : 0.0;  // not a number: 0
  auto const rank = std::ceil(share * static_cast<double>(count_));
  std::uint64_t below = 0;
  // In the last bucket in use are the longest, so there the maximum is the better bound.
  for (std::size_t bucket = 0; bucket + 1 < buckets_.size(); ++bucket) {
    below += buckets_[bucket];
    if (below != 0 && static_cast<double>(below) >= rank) {
      return duration(static_cast<duration::rep>(detail::bucket_begin(bucket + 1) - 1));
    }
  }
  return max();
}

std::uint64_t duration_histogram::count_below(duration bound) const noexcept {
  auto const end = not_negative(bound);
  if (end > max_) return count_;
  auto const around = detail::bucket_of(end);
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket < std::min(around, buckets_.size()); ++bucket) {
    below += buckets_[bucket];
  }
  if (around >= buckets_.size()) return below;
  auto const begin = detail::bucket_begin(around);
  auto const last = around + 1 == detail::duration_bucket_count;
  auto const width = (last ? max_ + 1 : detail::bucket_begin(around + 1)) - begin;
  auto const share = static_cast<double>(end - begin) / static_cast<double>(width);
  return below + static_cast<std::uint64_t>(share * static_cast<double>(buckets_[around]));
}

duration_histogram& duration_histogram::operator+=(duration_histogram const& other) {
  if (buckets_.size() < other.buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t bucket = 0; bucket != other.buckets_.size(); ++bucket) {
    buckets_[bucket] += other.buckets_[bucket];
  }
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
  return *this;
}

}  // namespace brigade
