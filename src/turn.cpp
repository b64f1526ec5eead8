// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/turn.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/error.hpp>

#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/relax.hpp>

namespace brigade::detail {

namespace {

using clock = std::chrono::steady_clock;

/// How many jobs, and how long, a turn may take. Reads the clock after every job, and after every
/// few (at most `sparse`) while jobs are tiny; so when they turn long of a sudden, those few are
/// the most that a neighbour on the executor waits for.
class turn_budget {
 public:
  explicit turn_budget(pool_options const& options)
      : jobs_left_(options.turn_jobs), ends_(clock::now() + options.turn_time) {}

  /// Counts a job. True: the turn is over.
  bool spent() {
    if (--jobs_left_ == 0) return true;
    if (--until_look_ != 0) return false;
    auto const now = clock::now();
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
        context_(core, core.counts().of_worker(slot), core.slots_awaited()) {}

  void run() {
    turn_budget budget(core_.options());
    inline_job job;
    try {
      while (next(job)) {
        if (core_.cancelling()) {
          job.discard({&core_, context_.lane, outcome::cancelled, asio::error::operation_aborted});
        } else if (core_.is_overdue(context_.lane, job)) {
          job.discard({&core_, context_.lane, outcome::shed, errc::shed});
        } else {
          job.run(context_);
        }
        if (budget.spent()) {
          core_.post_turn(slot_, false);
          return;
        }
      }
    } catch (...) {
      // A completion handler threw. Whoever runs the executor is told; the worker goes on.
      core_.post_turn(slot_, false);
      throw;
    }
  }

 private:
  /// The next job, searched for if need be. False: there is none, and the slot has been given back.
  bool next(inline_job& job) {
    for (;;) {
      if (take(job)) {
        ++taken_in_a_row_;
        if (searching_) stop_searching();
        return true;
      }
      if (!searching_) searching_ = core_.workers().begin_search();
      if (searching_ && linger()) continue;
      if (!rest()) return false;
    }
  }

  bool take(inline_job& job) {
    if (core_.lanes().count() == 1) [[likely]]
      return core_.lanes()[0].take(job);
    if (!core_.lanes().take(core_.round_of(slot_), job, context_.lane)) return false;
    context_.counts = &core_.counts().of_worker(slot_, context_.lane);
    return true;
  }

  void stop_searching() {
    searching_ = false;
    core_.workers().end_search();
    if (core_.workers().size() != 1 && core_.lanes().ready()) core_.wake_if_needed();
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
    auto const until = clock::now() + linger_;
    for (unsigned lap = 1;; ++lap) {
      if (core_.lanes().ready()) {
        linger_ = core_.options().linger;
        return true;
      }
      relax(lap);
      if (lap % 64 != 0) continue;
      if (core_.is_closed()) return core_.lanes().ready();
      if (clock::now() >= until) return false;
    }
  }

  /// Gives the slot back. True: a job came meanwhile, and this worker is the one to look for it.
  bool rest() {
    core_.note_idle();
    core_.workers().go_idle(slot_, std::exchange(searching_, false));
    // The crew's word has been written; close() writes it between closing and counting. So either
    // it sees that this worker's jobs have ended, or this sees that the pool is closed.
    if (core_.is_closed()) core_.check_drained();
    if (!core_.lanes().ready() || !core_.workers().claim_wake(slot_)) return false;
    searching_ = true;
    context_.counts = &core_.counts().of_worker(slot_, context_.lane);
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
