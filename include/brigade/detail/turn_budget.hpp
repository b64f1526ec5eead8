// How many jobs, and how long, a worker's turn may take before it hands its thread back.
//
// Reads the clock after every job, and after every few (at most `sparse`) while jobs are tiny; so
// when they turn long of a sudden, those few are the most that a neighbour on the executor waits
// for. Where even that counts, a tick counter that shows the few jobs to have been tiny stands in
// for the clock, most of the time.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include <brigade/detail/steady_clock.hpp>
#include <brigade/detail/tick_counter.hpp>
#include <brigade/detail/worker_activity.hpp>

namespace brigade::detail {

struct real_time {
  static std::int64_t now() noexcept { return steady_nanoseconds(); }
  using ticks = tick_counter;
};

template <class Time = real_time>
class turn_budget {
 public:
  /// `jobs`: not 0. `now`: nanoseconds of the steady clock.
  turn_budget(unsigned jobs, std::chrono::nanoseconds time, std::int64_t now) noexcept
      : jobs_(jobs),
        ends_(now + time.count()),
        most_unread_(static_cast<unsigned>(std::min(time / (8 * tiny), std::int64_t{3}))),
        last_look_(now - std::chrono::nanoseconds(std::chrono::hours{1}).count()) {}

  /// Counts a job. True: the turn is over. Tells `activity` each time that it reads the clock.
  bool spent(worker_activity& activity) noexcept { return --until_look_ == 0 && is_over(activity); }

  /// The jobs that were counted since this was asked last.
  unsigned take_count() noexcept {
    auto const all = looked_ + interval_ - until_look_;
    return all - std::exchange(told_, all);
  }

 private:
  bool is_over(worker_activity& activity) noexcept {
    looked_ += interval_;
    until_look_ = interval_;
    if (looked_ == jobs_) return true;
    bool const surely_tiny = were_few_ticks();
    if (surely_tiny && unread_ != 0) {
      --unread_;
      look_after(sparse);
      return false;
    }
    auto const just_ended = activity.just_ended();
    auto const now = just_ended != 0 ? just_ended : Time::now();
    activity.looked(now);
    if (now >= ends_) return true;
    bool const were_tiny = surely_tiny || now - last_look_ < tiny.count();
    unread_ = were_tiny && interval_ == sparse ? most_unread_ : 0;
    look_after(were_tiny ? std::min(interval_ * 2, sparse) : 1);
    last_look_ = now;
    return false;
  }

  void look_after(unsigned jobs) noexcept {
    interval_ = std::min(jobs, jobs_ - looked_);
    until_look_ = interval_;
  }

  bool were_few_ticks() noexcept {
    if constexpr (!Time::ticks::exists) return false;
    auto const now = Time::ticks::now();
    return now - std::exchange(last_ticks_, now) < few_ticks;
  }

  static constexpr unsigned sparse = 8;
  static constexpr std::chrono::nanoseconds tiny{8'000};  // for the jobs between two looks
  static constexpr std::uint64_t few_ticks = 8'000;       // less than that, at a GHz

  unsigned const jobs_;
  unsigned looked_ = 0;  // jobs, at the last look
  unsigned interval_ = 1;
  unsigned until_look_ = 1;
  unsigned told_ = 0;
  unsigned unread_ = 0;  // looks at the ticks alone, until the clock is read again
  std::int64_t const ends_;
  unsigned const most_unread_;
  std::int64_t last_look_;
  std::uint64_t last_ticks_ = 0;
};

}  // namespace brigade::detail
