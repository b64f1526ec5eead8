// brigade: whom a pool tells of each of its jobs, for tracing.
//
//   struct counting : brigade::job_observer {
//     void finished(brigade::observed_job const&, brigade::job_outcome,
//                   brigade::job_times const&) override { ++count; }
//     std::atomic<int> count = 0;
//   };
//   brigade::worker_pool pool{{.threads = 4, .observer = std::make_shared<counting>()}};
//
// Thread safety: a job_observer is called from many threads at once.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace brigade {

/// Which job is spoken of.
struct observed_job {
  /// No other job of the pool has the same.
  std::uint64_t number = 0;
  /// As it was submitted with; null where it has none.
  char const* name = nullptr;
};

/// How an admitted job ended.
enum class job_outcome {
  completed,  ///< It returned.
  failed,     ///< It threw.
  cancelled,  ///< It was cancelled before it was started, or its coroutine was destroyed.
  expired,    ///< It was not started in time.
  shed,       ///< It was dropped from the queue in favour of others.
};

/// The name of an outcome, as written above.
std::string_view to_string(job_outcome outcome) noexcept;

/// How long a job took.
struct job_times {
  std::chrono::nanoseconds queue_wait{0};  ///< From admission to start; or to its end in the queue.
  std::chrono::nanoseconds run_time{0};    ///< From start to end; zero where it never started.
};

/// Told of each admitted job: that it was admitted; that it started, if it does; and, once, how it
/// ended. In this order, and never two at the same time for the same job. When a drain is told of,
/// all have been told.
///
/// Every call is made by the thread in which the thing happens, and holds up that thread and,
/// `admitted` above all, every worker: do little, take no lock that is held for long, and do not
/// submit to the same pool. What a call throws goes to `pool_options::on_handler_error`.
class job_observer {
 public:
  virtual ~job_observer() = default;

  /// In the submitting thread, before any worker can see the job.
  virtual void admitted(observed_job const& job);

  /// In the worker, before the job runs. `queue_wait` has passed since admission.
  virtual void started(observed_job const& job, std::chrono::nanoseconds queue_wait);

  /// Where the job ended: the worker, the thread that cancelled it, a coroutine's own. The job has
  /// been destroyed; its slot is not free yet, and its handler has not been called.
  virtual void finished(observed_job const& job, job_outcome outcome, job_times const& times);
};

}  // namespace brigade
