// brigade: every knob of a pool and of a submission, in one page.
//
//   brigade::worker_pool pool{{.threads = 4, .capacity = 512, .name = "resize"}};
//   pool.async_submit(job, {.when_full = brigade::overflow::wait, .lane = 1}, token);
//
// Thread safety: plain data.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <brigade/observer.hpp>

#include <brigade/running_job.hpp>

namespace brigade {

/// Of which jobs the times are taken: `pool_metrics::queue_wait`, `run_time`, `worker_busy`.
enum class timing {
  off,      ///< Of none; no clock is read for it.
  sampled,  ///< Of every job while they are long; while tiny of one in 64 or 256, in their stead.
  full,     ///< Of every job.
};

/// The clock of deadlines.
using clock = std::chrono::steady_clock;

/// What happens to a job for which there is no slot.
enum class overflow {
  reject,       ///< It is refused with `errc::queue_full`.
  wait,         ///< It stands in line, first come first served, for a slot.
  caller_runs,  ///< The calling thread runs it, at once and outside of the bound.
  drop_oldest,  ///< The oldest queued job of its lane is ended with `errc::shed`, and it takes that
                ///< slot.
};

/// How one job is submitted. Each member has a working default.
struct submit_options {
  overflow when_full = overflow::reject;

  /// A job that has not been started by then never is: it ends as `errc::expired`, when the time
  /// comes and not when a worker looks. The same for one that waits for a slot.
  std::optional<clock::time_point> start_by{};

  /// Which of `pool_options::lanes`; 0 is served first. `std::out_of_range` for one that the pool
  /// does not have.
  unsigned lane = 0;

  /// Names the job where the pool speaks of it (reports, observers). Must outlive the job: a string
  /// literal. Null: it has none. Costs a block of memory.
  char const* name = nullptr;
};

/// One of several queues of a pool.
struct lane_options {
  /// The most jobs of this lane that may be in flight. 0: as many as the pool's. At most the
  /// pool's.
  std::size_t capacity = 0;

  /// How many of its jobs are served in a round, in which a job of every other lane that has some
  /// is served, too. 1 to 65 536.
  unsigned weight = 1;

  /// Labels the lane's metrics.
  std::string name{};
};

/// Sheds jobs that have been queued for too long while the queue does not get shorter, after CoDel
/// (K. Nichols, V. Jacobson, 2012): once the shortest time that any job of the lane was queued,
/// over an `interval`, is more than `target`, jobs that were queued for more than twice `target`
/// end with `errc::shed` instead of being run, until an interval saw a shorter one.
struct codel {
  std::chrono::milliseconds target{5};      ///< 1 to 3 600 000.
  std::chrono::milliseconds interval{100};  ///< 1 to 3 600 000.
};

/// What a `worker_pool` is made of. Each member has a working default.
struct pool_options {
  /// Workers: how many jobs may run at the same moment. 0: `std::thread::hardware_concurrency()`.
  /// At most 65 535.
  unsigned threads = 0;

  /// The most jobs that may be in flight (queued, running or suspended). 1 to 2^30.
  /// Costs 64 bytes a slot (rounded up to a power of two), touched only once it is used.
  std::size_t capacity = 1024;

  /// Names the threads (the first 15 bytes that the system shows) and labels the metrics.
  std::string name = "brigade";

  /// Called on the worker when a `try_post` job threw. Default: one line on stderr.
  /// May be called from several threads at once. An exception that leaves it is contained.
  std::function<void(std::exception_ptr)> on_job_error{};

  /// Called when a completion handler, or any other handler on the pool's own executor, threw; and
  /// when a handler had to be destroyed uncalled because its context was gone. Default: one line
  /// on stderr. May be called from several threads at once. An exception that leaves it is
  /// contained.
  std::function<void(std::exception_ptr)> on_handler_error{};

  /// How many submitters may stand in line for a slot (`overflow::wait`, `async_reserve`); the next
  /// one is refused with `errc::queue_full`. Default: the capacity. 0: nobody may. At most 2^30.
  std::optional<std::size_t> max_waiting{};

  /// Queues of their own under the pool's capacity; at most 64. Empty: one, with all of the
  /// capacity.
  std::vector<lane_options> lanes{};

  /// Sheds jobs by the time that they were queued. Default: off.
  std::optional<codel> shedding{};

  /// How long one idle worker looks for the next job before it sleeps. It gives way to other
  /// threads while it looks, and looks for an eighth of the time while jobs come too far apart for
  /// it to pay. 0: sleeps at once. At most an hour.
  std::chrono::microseconds linger{50};

  /// A worker hands its thread to the other handlers on the executor (sockets, timers) after so
  /// many jobs. 1 to 2^20.
  unsigned turn_jobs = 256;

  /// The same after so much time. Looked at after every job that takes long, after every few of
  /// those that do not. More than 0.
  std::chrono::microseconds turn_time{500};

  /// Which jobs are timed. `sampled` costs a few instructions a job while jobs are tiny, and less
  /// than a percent of their time while they are long; `full` reads the clock three times for each,
  /// at some 20 ns.
  brigade::timing timing = brigade::timing::sampled;

  /// Told of every job's admission, start and end. Default: nobody, at no cost. With one, every job
  /// costs what it does with `timing::full`, and the calls.
  std::shared_ptr<job_observer> observer{};
  /// A job, or the handler that a worker calls in its place, that keeps its worker for longer than
  /// this counts as stuck and is told of, once. 0: nobody looks. At most a day. Costs the library's
  /// control thread a look at every worker, four times in this span and at least once a second.
  /// Coroutine jobs hold no worker and are not looked at.
  std::chrono::milliseconds stuck_after{0};

  /// Called with each job that is stuck, on the control thread, which serves every pool of the
  /// process: do not block it. Default: one line on stderr. An exception that leaves it goes to
  /// `on_handler_error`.
  std::function<void(stuck_job const&)> on_stuck_job{};
};

/// What a `task_group` is made of. Each member has a working default.
struct task_group_options {
  /// How many of the group's jobs may run at once. 0: as many as the pool has workers for.
  std::size_t max_running = 0;

  /// The first job that throws, expires or is shed cancels all others.
  bool cancel_on_failure = false;
};

/// When `async_retry` tries again, and for how long: after a random time between none and a bound
/// that grows with each try ("full jitter").
struct backoff_policy {
  std::chrono::milliseconds first{10};      ///< The bound after the first try. 1 to 3 600 000.
  std::chrono::milliseconds most{1000};     ///< It grows no larger. `first` to 3 600 000.
  double factor = 2;                        ///< It grows by this each time. 1 to 1000.
  unsigned tries = 8;                       ///< At the most, with the first. 1 and more.
  std::chrono::milliseconds total{10'000};  ///< No try begins later than this after the first one.
                                            ///< 0 to 86 400 000.
};

}  // namespace brigade
