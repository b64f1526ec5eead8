// How durations are sorted into buckets: each power of two of nanoseconds is cut in 16, so a bucket
// is at most a 16th as wide as what is in it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace brigade::detail {

inline constexpr unsigned duration_bits = 45;  // 2^45 ns: 9 h 46 min
inline constexpr unsigned bucket_split_bits = 4;
inline constexpr std::uint64_t bucket_split = std::uint64_t{1} << bucket_split_bits;
inline constexpr std::size_t duration_bucket_count =
    (duration_bits - bucket_split_bits + 1) * bucket_split;

/// The bucket of a duration. The first 32 hold one nanosecond each; the last one also holds
/// all that is longer.
constexpr std::size_t bucket_of(std::uint64_t nanoseconds) noexcept {
  if (nanoseconds < bucket_split) return nanoseconds;
  auto const shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - bucket_split_bits;
  auto const bucket = shift * bucket_split + (nanoseconds >> shift);
  return std::min<std::size_t>(bucket, duration_bucket_count - 1);
}

/// The shortest duration of a bucket; of the number of buckets: the end of the last one.
constexpr std::uint64_t bucket_begin(std::size_t bucket) noexcept {
  if (bucket < bucket_split) return bucket;
  auto const shift = bucket / bucket_split - 1;
  return (bucket_split + bucket % bucket_split) << shift;
}

static_assert(bucket_begin(duration_bucket_count) == std::uint64_t{1} << duration_bits);

}  // namespace brigade::detail
