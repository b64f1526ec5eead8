// brigade: what a snapshot of a pool's numbers contains.
//
//   auto const now = pool.metrics();
//   fmt::print("{} of {} queued\n", now.queued_jobs, now.capacity);
//
// Thread safety: plain data.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <brigade/error.hpp>
#include <brigade/histogram.hpp>
#include <brigade/shutdown.hpp>

namespace brigade {

/// Jobs that were never admitted, by reason, since the pool was made.
struct rejected_jobs {
  std::uint64_t queue_full = 0;
  std::uint64_t closed = 0;
  std::uint64_t cancelled = 0;  ///< Cancelled while they waited for a slot.
  std::uint64_t expired = 0;    ///< Expired while they waited for a slot.

  /// The sum of all reasons.
  [[nodiscard]] std::uint64_t total() const noexcept {
    return queue_full + closed + cancelled + expired;
  }

  /// The count of one reason; 0 for a value that is no reason to refuse.
  [[nodiscard]] std::uint64_t operator[](errc reason) const noexcept;
};

/// The numbers of one of `pool_options::lanes`, with the same meanings as in pool_metrics.
struct lane_metrics {
  std::string name{};
  std::uint64_t queued_jobs = 0;
  std::uint64_t running_jobs = 0;
  std::size_t capacity = 0;
  std::uint64_t admitted = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t expired = 0;
  std::uint64_t shed = 0;
  std::chrono::nanoseconds oldest_queued_age{0};
};

/// One consistent reading of a task_group. Always
/// `submitted == jobs + refused + completed + failed + cancelled + expired + shed`; each job counts
/// as its handler is told, and before it is. Those that left the line for a slot are counted as
/// cancelled or expired here.
struct task_group_metrics {
  std::uint64_t jobs = 0;       ///< Not ended: in line for a slot, queued or running.
  std::uint64_t running = 0;    ///< Started, not finished.
  std::uint64_t held_back = 0;  ///< Queued, and waiting for `task_group_options::max_running`.
  std::uint64_t submitted = 0;  ///< Since the group was made, as all that follow.
  std::uint64_t refused = 0;    ///< Told `queue_full` or `closed`.
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t expired = 0;
  std::uint64_t shed = 0;
};

/// How long a pool was, or has been, in each state: 0 for one that it has not reached or has
/// skipped.
struct state_times {
  std::chrono::nanoseconds running{0};
  std::chrono::nanoseconds lame_duck{0};
  std::chrono::nanoseconds draining{0};
  std::chrono::nanoseconds cancelling{0};
  std::chrono::nanoseconds stopped{0};

  [[nodiscard]] std::chrono::nanoseconds operator[](pool_state state) const noexcept;
};

/// One consistent reading of a pool. Each number is one that the pool really had while the
/// snapshot was taken, and always `admitted == completed + failed + cancelled + expired + shed +
/// queued_jobs + running_jobs` and `queued_jobs + running_jobs <= capacity`.
struct pool_metrics {
  std::uint64_t queued_jobs = 0;   ///< Admitted, not started.
  std::uint64_t running_jobs = 0;  ///< Started, not finished; suspended coroutines included.
  unsigned active_workers = 0;     ///< Workers that are running jobs or their handlers.
  unsigned workers = 0;            ///< `pool_options::threads`, as it came out.
  std::size_t capacity = 0;        ///< `pool_options::capacity`.
  std::uint64_t waiting = 0;       ///< Submitters that wait for a slot.
  std::uint64_t permits = 0;       ///< Slots held by permits, without a job.

  std::uint64_t admitted = 0;  ///< Jobs accepted since the pool was made.
  rejected_jobs rejected;      ///< Jobs refused since the pool was made.
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t expired = 0;
  std::uint64_t shed = 0;
  std::uint64_t caller_ran = 0;      ///< Jobs that `overflow::caller_runs` ran in their callers.
  std::uint64_t handler_errors = 0;  ///< Handlers that threw or could not be called.

  /// How long the oldest queued job has waited; zero where none is queued. Read off a coarse
  /// clock (Linux: steps of 1 to 10 ms), which is what makes it affordable for every job.
  std::chrono::nanoseconds oldest_queued_age{0};

  /// One for each of `pool_options::lanes`.
  std::vector<lane_metrics> lanes{};

  /// From admission to start, of the jobs that were started; and from start to end, suspended time
  /// of coroutines included, of those that have ended since. Of all jobs or an estimate, or empty:
  /// see `pool_options::timing`.
  duration_histogram queue_wait{};
  duration_histogram run_time{};

  /// For how long each worker has been running jobs and their handlers. Empty where timing is off.
  std::vector<std::chrono::nanoseconds> worker_busy{};

  pool_state state = pool_state::running;
  state_times time_in{};  ///< How long in each state.
  std::string name{};     ///< `pool_options::name`.

  std::uint64_t stuck_jobs = 0;                 ///< Jobs that ran for longer than `stuck_after`.
  std::chrono::nanoseconds longest_running{0};  ///< Age of the job that has run the longest.
};

}  // namespace brigade
