// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/turn.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include <boost/asio/error.hpp>

#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/relax.hpp>
#include <brigade/detail/thread_setup.hpp>

namespace brigade::detail {

namespace {

using clock = std::chrono::steady_clock;

std::int64_t nanoseconds(clock::time_point when) noexcept {
  return std::chrono::nanoseconds(when.time_since_epoch()).count();
}

/// How many jobs, and how long, a turn may take. Reads the clock after every job, and after every
/// few (at most `sparse`) while jobs are tiny; so when they turn long of a sudden, those few are
/// the most that a neighbour on the executor waits for.
class turn_budget {
 public:
  turn_budget(pool_options const& options, clock::time_point now)
      : jobs_left_(options.turn_jobs), ends_(now + options.turn_time) {}

  /// Counts a job. True: the turn is over. Where it reads the clock the next job begins.
  bool spent(worker_activity& activity) {
    if (--jobs_left_ == 0) return true;
    if (--until_look_ != 0) return false;
    auto const now = clock::now();
    activity.looked(nanoseconds(now));
    if (now >= ends_) return true;
    interval_ = now - last_look_ < tiny ? std::min(interval_ * 2, sparse) : 1;
    until_look_ = interval_;
    last_look_ = now;
    return false;
  }

 private:
  static constexpr unsigned sparse = 8;
  static constexpr std::chrono::microseconds tiny{8};

  unsigned jobs_left_;
  unsigned interval_ = 1;
  unsigned until_look_ = 1;
  clock::time_point ends_;
  clock::time_point last_look_ = ends_ - std::chrono::hours{1};
};

class turn {
 public:
  turn(pool_core& core, unsigned slot, bool searching) noexcept
      : core_(core),
        slot_(slot),
        searching_(searching),
        linger_(searching ? core.linger_after_wake() : core.options().linger),
        context_(core, core.counts().of_worker(slot), core.activity_of(slot)) {}

  void run() {
    auto const now = clock::now();
    turn_budget budget(core_.options(), now);
    context_.activity->begin_turn(nanoseconds(now), this_thread_number());
    inline_job job;
    try {
      while (next(job)) {
        if (core_.cancelling()) {
          job.discard(core_, asio::error::operation_aborted);
        } else {
          job.run(context_);
        }
        if (budget.spent(*context_.activity)) return again();
      }
    } catch (...) {
      // A completion handler threw. Whoever runs the executor is told; the worker goes on.
      again();
      throw;
    }
  }

 private:
  void again() noexcept {
    context_.activity->rest();
    core_.post_turn(slot_, false);
  }

  /// The next job, searched for if need be. False: there is none, and the slot has been given back.
  bool next(inline_job& job) {
    for (;;) {
      if (core_.queue().take(job)) {
        ++taken_in_a_row_;
        if (searching_) stop_searching();
        return true;
      }
      context_.activity->rest();
      if (!searching_) searching_ = core_.workers().begin_search();
      if (searching_ && linger()) continue;
      if (!rest()) return false;
    }
  }

  void stop_searching() {
    searching_ = false;
    core_.workers().end_search();
    if (core_.workers().size() != 1 && core_.queue().ready()) core_.wake_if_needed();
  }

  /// Stays away from the queue for a moment where jobs come in a stream. A worker on the heels of a
  /// submitter fights it for the cache line of every job (70 ns each); one that lets a few jobs
  /// gather reads lines that nobody writes any more (40 ns). Whether there is a stream shows in the
  /// last search: more than one job came of it. Now and then it is tried out.
  void let_jobs_gather() {
    bool const stream = std::exchange(taken_in_a_row_, 0U) > 1;
    if (!stream && ++searches_ % 32 != 0) return;
    for (auto const until = clock::now() + std::chrono::microseconds{1}; clock::now() < until;) {
      for (int i = 0; i != 8; ++i) pause();
    }
  }

  /// Looks for a job for a while before the thread may sleep.
  bool linger() {
    if (linger_.count() == 0) return false;
    let_jobs_gather();
    auto looked = clock::now();
    auto const until = looked + linger_;
    for (unsigned lap = 1;; ++lap) {
      if (core_.queue().ready()) {
        linger_ = core_.options().linger;
        context_.activity->looked(nanoseconds(looked));
        return true;
      }
      relax(lap);
      if (lap % 64 != 0) continue;
      if (core_.is_closed()) return core_.queue().ready();
      looked = clock::now();
      if (looked >= until) return false;
    }
  }

  /// Gives the slot back. True: a job came meanwhile, and this worker is the one to look for it.
  bool rest() {
    auto const now = core_.note_idle();
    core_.workers().go_idle(slot_, std::exchange(searching_, false));
    // The crew's word has been written; close() writes it between closing and counting. So either
    // it sees that this worker's jobs have ended, or this sees that the pool is closed.
    if (core_.is_closed()) core_.check_drained();
    if (!core_.queue().ready() || !core_.workers().claim_wake(slot_)) return false;
    searching_ = true;
    context_.counts = &core_.counts().of_worker(slot_);
    context_.activity = &core_.activity_of(slot_);
    context_.activity->begin_turn(now, this_thread_number());
    return true;
  }

  pool_core& core_;
  unsigned slot_;
  bool searching_;
  unsigned taken_in_a_row_ = 0;
  unsigned searches_ = 0;
  std::chrono::nanoseconds linger_;
  job_context context_;
};

}  // namespace

posted_turn::~posted_turn() {
  // Destroyed without having run: the host's context is going, and this turn with it.
  if (keep_) keep_->host_gone();
}

void posted_turn::operator()() {
  auto const keep = std::move(keep_);
  turn{*core_, slot_, searching_}.run();
}

}  // namespace brigade::detail
