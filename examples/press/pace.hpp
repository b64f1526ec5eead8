// press: how long a transfer may pause that has to keep a pace.
//
// A limit on the pause alone can be kept for ever by a client that moves one byte at a time.
//
// Thread safety: distinct objects.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "limits.hpp"

namespace press {

class pace {
 public:
  using clock = std::chrono::steady_clock;

  /// `patience`: the longest pause, and how far behind `least_rate` the whole may fall.
  explicit pace(milliseconds patience, clock::time_point now = clock::now())
      : patience_(patience), began_(now) {}

  /// For how long the next byte may be waited for once `moved` bytes have been.
  [[nodiscard]] milliseconds left(std::uint64_t moved, clock::time_point now = clock::now()) const {
    auto const earned = milliseconds{static_cast<milliseconds::rep>(moved * 1000 / least_rate)};
    auto const spent = std::chrono::duration_cast<milliseconds>(now - began_);
    return std::clamp(patience_ + earned - spent, milliseconds{0}, patience_);
  }

 private:
  milliseconds patience_;
  clock::time_point began_;
};

}  // namespace press
