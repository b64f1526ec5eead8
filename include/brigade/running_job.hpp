// brigade: what a worker, or a coroutine, is busy with.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace brigade {

/// A job that has been started and has not ended, or the handler that a worker calls after it.
struct running_job {
  enum class kind {
    job,        ///< A function, on a worker.
    handler,    ///< The job has ended; its completion handler runs in its place.
    coroutine,  ///< A coroutine job: suspended, or on a thread that cannot be told.
  };

  /// As it was given at submission; empty: it was not.
  std::string name{};
  /// Since it was started. No clock is read for each tiny job, so this may include up to 31 that ran
  /// before it on the same worker: microseconds, or more where the last seven turned long.
  std::chrono::nanoseconds age{0};
  /// The system's number of its thread (Linux: the one that gdb, `top -H` and `ps -L` show); 0 for
  /// a coroutine.
  std::uint64_t thread = 0;
  kind what = kind::job;
};

/// As `'resize' on thread 4711 for 12.031 s`. fmt prints it the same way.
std::string to_string(running_job const& job);

/// A job that was still running when a shutdown's times were over.
using abandoned_job = running_job;

/// A job that runs for longer than `pool_options::stuck_after`.
struct stuck_job : running_job {
  std::string pool{};  ///< `pool_options::name`.
};

}  // namespace brigade

template <>
struct fmt::formatter<brigade::running_job> : fmt::formatter<std::string> {
  template <class Context>
  auto format(brigade::running_job const& job, Context& context) const {
    return fmt::formatter<std::string>::format(brigade::to_string(job), context);
  }
};

template <>
struct fmt::formatter<brigade::stuck_job> : fmt::formatter<brigade::running_job> {};
