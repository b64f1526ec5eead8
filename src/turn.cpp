// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/turn.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include <boost/asio/error.hpp>

#include <brigade/detail/carried_turns.hpp>
#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/probes.hpp>
#include <brigade/detail/relax.hpp>
#include <brigade/detail/steady_clock.hpp>
#include <brigade/detail/thread_setup.hpp>
#include <brigade/detail/turn_budget.hpp>

namespace brigade::detail {

namespace {

/// Measures a worker's stretches of work: from the moment at which it has a job to the one at which
/// it finds none, or gives its thread back. Does nothing where timing is off.
class work_meter {
 public:
  work_meter(pool_core& core, unsigned slot) noexcept
      : tracer_(&core.tracer()),
        times_(core.tracer().times() != nullptr ? &core.tracer().times()->of_worker(slot)
                                                : nullptr) {}

  void begin(std::int64_t now) noexcept {
    if (times_ == nullptr || working_) return;
    working_ = true;
    began_ = now;
    times_->busy.begin(began_);
  }
  /// After so many jobs.
  void end(std::int64_t now, unsigned jobs) noexcept {
    if (!working_) return;
    working_ = false;
    times_->busy.end(now);
    if (jobs != 0) tracer_->adapt(times_->per_job.add(now, now - began_, jobs));
  }

 private:
  job_tracer* tracer_;
  worker_times* times_;
  std::int64_t began_ = 0;
  bool working_ = false;
};

/// How many jobs the thread has run for one pool since it last went to look for one.
class jobs_in_a_row {
 public:
  void add(pool_core const& core, unsigned jobs) noexcept {
    if (std::exchange(of_, &core) != &core) jobs_ = 0;
    jobs_ += jobs;
  }
  unsigned take(pool_core const& core, unsigned last) noexcept {
    add(core, last);
    return std::exchange(jobs_, 0);
  }

 private:
  pool_core const* of_ = nullptr;  // to be compared, no more
  unsigned jobs_ = 0;
};

thread_local carried_turns carried;
thread_local jobs_in_a_row in_a_row;

class turn {
 public:
  turn(pool_core& core, unsigned slot, bool searching) noexcept
      : core_(core),
        slot_(slot),
        searching_(searching),
        linger_(searching ? core.linger_after_wake() : core.options().linger),
        began_(steady_nanoseconds()),
        budget_(core.options().turn_jobs, core.options().turn_time, began_),
        context_(core, core.counts().of_worker(slot), core.activity_of(slot), core.slots_awaited()),
        meter_(core, slot) {
    context_.worker = slot;
  }

  void run() {
    meter_.begin(began_);
    core_.tracer().look_for_tracers();
    context_.activity->begin_turn(began_, this_thread_number());
    inline_job job;
    context_.taken = &job;
    try {
      while (next(job)) {
        if (core_.cancelling()) [[unlikely]] {
          discard(job, outcome::cancelled, asio::error::operation_aborted);
        } else if (core_.is_overdue(context_.lane, job)) [[unlikely]] {
          discard(job, outcome::shed, errc::shed);
        } else {
          job.run(context_);
        }
        if (budget_.spent(*context_.activity)) return go_on_later();
      }
      carried.rest();
    } catch (...) {
      // A completion handler threw. Whoever runs the executor is told, on a thread that may be gone
      // then; the worker goes on.
      end();
      core_.post_turn(slot_, false);
      throw;
    }
  }

 private:
  /// The next job, searched for if need be. False: there is none, and the slot has been given back.
  bool next(inline_job& job) {
    for (;;) {
      if (take(job)) {
        if (searching_) stop_searching();
        return true;
      }
      auto const now = steady_nanoseconds();
      auto const taken = budget_.take_count();
      meter_.end(now, taken);
      context_.activity->rest();
      auto const jobs = in_a_row.take(core_, taken);
      if (!searching_) searching_ = core_.workers().begin_search();
      if (searching_ && linger(now, jobs)) continue;
      if (!rest()) return false;
    }
  }

  /// Hands the thread back; the worker goes on in its next turn.
  void go_on_later() noexcept {
    auto const now = end();
    if (!core_.thread_comes_back()) return core_.post_turn(slot_, false);
    if (!carried.end_turn(slot_, now, core_.options().turn_time)) return core_.defer_turn(slot_);
    core_.post_turn(slot_, false);  // any other thread may take it
    std::this_thread::sleep_for(std::chrono::microseconds{1});
  }

  /// Gives the time.
  std::int64_t end() noexcept {
    auto const now = steady_nanoseconds();
    auto const taken = budget_.take_count();
    in_a_row.add(core_, taken);
    meter_.end(now, taken);
    context_.activity->rest();
    return now;
  }

  void discard(inline_job& job, outcome how, error_code const& why) {
    context_.activity->pass_over();
    job.discard({&core_, context_.lane, how, why, nullptr, context_.note});
  }

  bool take(inline_job& job) {
    if (core_.lanes().is_one()) [[likely]]
      return core_.lanes()[0].take(job, context_.note);
    if (!core_.lanes().take(core_.round_of(slot_), job, context_.note, context_.lane)) return false;
    context_.counts = &core_.counts().of_worker(slot_, context_.lane);
    return true;
  }

  void stop_searching() {
    searching_ = false;
    core_.workers().end_search();
    if (core_.workers().size() != 1 && core_.lanes().ready()) core_.wake_if_needed();
  }

  /// Stays away from the queue for a moment where jobs come in a stream. A worker on the heels of a
  /// submitter fights it for the cache line of every job; one that lets a few jobs gather reads
  /// lines that nobody writes any more. Whether there is a stream shows in how many `jobs` came of
  /// the last search: more than one. Now and then it is tried out.
  ///
  /// After many jobs it stays away for longer. Submitter and worker are about as fast as each other,
  /// so a worker that has caught up would be at its heels again at once; after a longer moment the
  /// same way takes it thousands of jobs. But not where none has come meanwhile, as when who submits
  /// waits for this core, not where there are lanes, which may be small, and not while half of the
  /// pool is full: nobody is to be refused for it. How full it is, is asked seldom, for the submitter
  /// writes the line that tells.
  /// Gives the time.
  std::int64_t let_jobs_gather(std::int64_t now, unsigned jobs) {
    if (jobs < 2 && ++searches_ % 32 != 0) return now;
    constexpr std::int64_t each = 16;  // nanoseconds; what a tiny job takes
    constexpr std::int64_t shortest = 1'000;
    constexpr std::int64_t longest = 8'000;
    auto const wanted =
        core_.lanes().is_one() ? std::clamp(each * jobs, shortest, longest) : shortest;
    auto const end = now + std::min(wanted, linger_.count());
    auto const a_quarter = each / 4 * static_cast<std::int64_t>(core_.options().capacity);
    for (auto step = std::min(shortest, a_quarter); now < end; step = a_quarter) {
      auto const until = std::min(end, now + step);
      for (; now < until; now = steady_nanoseconds()) {
        for (int i = 0; i != 8; ++i) pause();
      }
      if (now < end && (!core_.lanes().ready() || core_.lanes().is_half_full())) break;
    }
    return now;
  }

  /// Looks for a job for a while before the thread may sleep.
  bool linger(std::int64_t now, unsigned jobs) {
    if (linger_.count() == 0) return false;
    // A thread that the first job after a sleep has woken may have been given this core: often who
    // waits for that job.
    if (std::exchange(just_woken_, false)) {
      std::this_thread::yield();
      now = steady_nanoseconds();
    }
    auto looked = let_jobs_gather(now, jobs);
    auto const until = now + linger_.count();
    for (unsigned lap = 1;; ++lap) {
      if (core_.lanes().ready()) {
        linger_ = core_.options().linger;
        if (lap != 1) looked = steady_nanoseconds();
        meter_.begin(looked);
        context_.activity->looked(looked);
        return true;
      }
      relax(lap);
      if (lap % 64 != 0) continue;
      if (core_.is_closed() && !core_.lanes().ready()) return false;
      looked = steady_nanoseconds();
      if (looked >= until) return false;
    }
  }

  /// Gives the slot back. True: a job came meanwhile, and this worker is the one to look for it.
  bool rest() {
    auto const now = core_.note_idle();
    probes::worker_sleep(core_.options().name.c_str(), slot_);
    core_.workers().go_idle(slot_, std::exchange(searching_, false));
    // The crew's word has been written; close() writes it between closing and counting. So either
    // it sees that this worker's jobs have ended, or this sees that the pool is closed.
    if (core_.is_closed()) core_.check_drained();
    if (!core_.lanes().ready() || !core_.workers().claim_wake(slot_)) return false;
    searching_ = true;
    probes::worker_wake(core_.options().name.c_str(), slot_);
    // It may be another worker's slot.
    context_.counts = &core_.counts().of_worker(slot_, context_.lane);
    context_.worker = slot_;
    context_.activity = &core_.activity_of(slot_);
    context_.activity->begin_turn(now, this_thread_number());
    meter_ = work_meter(core_, slot_);
    meter_.begin(now);
    return true;
  }

  pool_core& core_;
  unsigned slot_;
  bool searching_;
  bool just_woken_ = searching_;
  unsigned searches_ = 0;
  std::chrono::nanoseconds linger_;
  std::int64_t began_;
  turn_budget<> budget_;
  job_context context_;
  work_meter meter_;
};

}  // namespace

posted_turn::~posted_turn() {
  // Destroyed without having run: the host's context is going, and this turn with it.
  if (keep_) keep_->host_gone();
}

void posted_turn::operator()() {
  auto const keep = std::move(keep_);
  if (searching_) probes::worker_wake(core_->options().name.c_str(), slot_);
  turn{*core_, slot_, searching_}.run();
}

}  // namespace brigade::detail
