// How long to wait before the next try.
//
// Pure: the time that has passed and the dice come in as arguments.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <optional>

#include <brigade/options.hpp>

namespace brigade::detail {

/// Throws: `std::invalid_argument` that names the member which is out of range.
void check_backoff(backoff_policy const& policy);

/// Exponential backoff with full jitter (M. Brooker, 2015): each pause is a random part of a bound
/// that grows. With a part of the bound alone those who were refused together would come again
/// together.
class backoff_steps {
 public:
  /// With a policy that has been checked.
  explicit backoff_steps(backoff_policy const& policy) noexcept;

  /// A try was refused, `elapsed` after the first one. The pause before the next try, for a
  /// `chance` from 0 to 1; none where there is to be no other.
  std::optional<std::chrono::nanoseconds> next(std::chrono::nanoseconds elapsed,
                                               double chance) noexcept;

 private:
  using nanoseconds = std::chrono::duration<double, std::nano>;

  nanoseconds bound_;
  nanoseconds most_;
  double factor_;
  unsigned tries_left_;
  std::chrono::nanoseconds total_;
};

}  // namespace brigade::detail
