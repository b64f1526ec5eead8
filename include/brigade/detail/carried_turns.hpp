// Whether a worker's thread has been running the turns of several workers, and should make way.
//
// A pool with threads of its own has one for each turn. A turn that ends is queued behind those that
// wait, so its thread takes up another one only where another one waits. If that goes on, a thread
// that was woken does not get a processor. It may be the one that waits in Asio's reactor: until it
// runs nobody sees a timer or a socket, and threads that go on with jobs do not enter the kernel, so
// that it may have to wait for the end of their time slices (4 ms, where the clock ticks 250 times a
// second).
//
// A moment's sleep lets it run. A yield would, too, but a system may take that as giving up a whole
// time slice, and to other processes as well (Linux does).
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace brigade::detail {

/// Of one thread, which is the only one that touches it.
class carried_turns {
 public:
  /// A turn of `slot` ends at `now`, in nanoseconds of the steady clock, and there will be another.
  /// True: the thread has gone from slot to slot for longer than `patience`. While that is of no use
  /// it is said after twice, 4 times ... 32 times that time.
  bool end_turn(unsigned slot, std::int64_t now, std::chrono::nanoseconds patience) noexcept {
    auto const before = std::exchange(last_, slot);
    auto const taken_up = std::exchange(ended_, now);
    if (before == slot || before == none) {
      carries_several_ = false;
      return false;
    }
    if (!std::exchange(carries_several_, true)) {
      since_ = taken_up;
      factor_ = 1;
      return false;  // two threads may have changed places
    }
    if (now - since_ < patience.count() * factor_) return false;
    since_ = now;
    factor_ = std::min(factor_ * 2, most);
    return true;
  }

  /// The thread has nothing to do.
  void rest() noexcept {
    last_ = none;
    carries_several_ = false;
  }

 private:
  static constexpr unsigned none = ~0U;
  static constexpr int most = 32;

  unsigned last_ = none;
  std::int64_t ended_ = 0;  // its last turn
  bool carries_several_ = false;
  std::int64_t since_ = 0;  // that, or when it was said last
  int factor_ = 1;
};

}  // namespace brigade::detail
