// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/backoff_steps.hpp>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include <fmt/format.h>

namespace brigade::detail {

namespace {

constexpr std::int64_t an_hour = 3'600'000;

template <class T>
void check_range(char const* member, T value, T least, T most) {
  if (value >= least && value <= most) return;  // false for what is no number
  throw std::invalid_argument(
      fmt::format("brigade::backoff_policy::{}: {} is out of range; give {} to {}", member, value,
                  least, most));
}

}  // namespace

void check_backoff(backoff_policy const& policy) {
  check_range<std::int64_t>("first", policy.first.count(), 1, an_hour);
  check_range<std::int64_t>("most", policy.most.count(), policy.first.count(), an_hour);
  check_range("factor", policy.factor, 1.0, 1000.0);
  check_range("tries", policy.tries, 1U, ~0U);
  check_range<std::int64_t>("total", policy.total.count(), 0, 24 * an_hour);
}

backoff_steps::backoff_steps(backoff_policy const& policy) noexcept
    : bound_(policy.first),
      most_(policy.most),
      factor_(policy.factor),
      tries_left_(policy.tries - 1),
      total_(policy.total) {}

std::optional<std::chrono::nanoseconds> backoff_steps::next(std::chrono::nanoseconds elapsed,
                                                            double chance) noexcept {
  if (tries_left_ == 0) return std::nullopt;
  auto const pause = std::chrono::duration_cast<std::chrono::nanoseconds>(bound_ * chance);
  if (elapsed + pause > total_) return std::nullopt;
  --tries_left_;
  bound_ = std::min(bound_ * factor_, most_);
  return pause;
}

}  // namespace brigade::detail
