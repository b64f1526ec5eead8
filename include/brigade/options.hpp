// brigade: every knob of a pool, in one page.
//
//   brigade::worker_pool pool{{.threads = 4, .capacity = 512, .name = "resize"}};
//
// Thread safety: plain data.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>

#include <brigade/running_job.hpp>

namespace brigade {

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

}  // namespace brigade
