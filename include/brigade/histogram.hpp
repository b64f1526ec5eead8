// brigade: durations, counted by their size.
//
// Thread safety: plain data.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace brigade {

/// Counts durations in bins of a factor of two.
class duration_histogram {
 public:
  void add(std::chrono::nanoseconds value) noexcept {
    auto const size = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
    bins_[static_cast<std::size_t>(std::bit_width(size))] += 1;
    sum_ += value;
    max_ = std::max(max_, value);
  }

  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t sum = 0;
    for (auto const bin : bins_) sum += bin;
    return sum;
  }
  [[nodiscard]] std::chrono::nanoseconds sum() const noexcept { return sum_; }
  [[nodiscard]] std::chrono::nanoseconds max() const noexcept { return max_; }

  [[nodiscard]] std::chrono::nanoseconds quantile(double q) const noexcept {
    auto const wanted = q * static_cast<double>(count());
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i != bins_.size(); ++i) {
      seen += bins_[i];
      if (bins_[i] != 0 && static_cast<double>(seen) >= wanted) return std::min(edge(i), max_);
    }
    return max_;
  }

  [[nodiscard]] std::uint64_t count_below(std::chrono::nanoseconds limit) const noexcept {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i != bins_.size() && edge(i) <= limit; ++i) seen += bins_[i];
    return seen;
  }

 private:
  static std::chrono::nanoseconds edge(std::size_t bin) noexcept {
    return std::chrono::nanoseconds{
        static_cast<std::int64_t>(bin >= 63 ? INT64_MAX : (std::uint64_t{1} << bin) - 1)};
  }

  std::array<std::uint64_t, 65> bins_{};
  std::chrono::nanoseconds sum_{0};
  std::chrono::nanoseconds max_{0};
};

}  // namespace brigade
