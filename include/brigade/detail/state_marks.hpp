// When a pool reached each of its states.
//
// Invariant: a mark is set once, by whoever comes first. States only move forward, so a state ends
// where the next one that was reached begins; one that was skipped has no mark.
//
// Ordering: relaxed. A mark is a number for people; nothing else is read on its strength. Calls
// that move the state at the same moment may set their marks in either order, and a state that
// seems to end before it began has taken no time.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <brigade/metrics.hpp>
#include <brigade/shutdown.hpp>

namespace brigade::detail {

class state_marks {
 public:
  /// `now`: nanoseconds of a steady clock, more than 0.
  explicit state_marks(std::int64_t now) noexcept { reach(pool_state::running, now); }

  void reach(pool_state state, std::int64_t now) noexcept {
    std::int64_t unset = 0;
    marks_[static_cast<std::size_t>(state)].compare_exchange_strong(unset, now,
                                                                    std::memory_order_relaxed);
  }

  [[nodiscard]] state_times read(std::int64_t now) const noexcept {
    std::array<std::int64_t, states> time{};
    std::int64_t end = now;
    for (std::size_t i = states; i-- != 0;) {
      auto const begin = marks_[i].load(std::memory_order_relaxed);
      if (begin == 0) continue;
      time[i] = std::max<std::int64_t>(end - begin, 0);
      end = std::min(end, begin);
    }
    using std::chrono::nanoseconds;
    return {nanoseconds{time[0]}, nanoseconds{time[1]}, nanoseconds{time[2]}, nanoseconds{time[3]},
            nanoseconds{time[4]}};
  }

 private:
  static constexpr std::size_t states = 5;
  std::array<std::atomic<std::int64_t>, states> marks_{};
};

}  // namespace brigade::detail
