// Which pool's job this thread is running: how a running job is told from everybody else, who is
// refused while the pool drains.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/detail/ledger.hpp>
#include <brigade/detail/worker_activity.hpp>

namespace brigade::detail {

class pool_core;

/// Marks the calling thread as working for `core` for as long as the frame lives. Frames nest.
class job_frame {
 public:
  job_frame(pool_core const& core, bool running_job) noexcept
      : core_(core), running_job_(running_job), outer_(innermost_) {
    innermost_ = this;
  }
  ~job_frame() { innermost_ = outer_; }
  job_frame(job_frame const&) = delete;
  job_frame& operator=(job_frame const&) = delete;

  /// Whether this thread runs a job of `core`.
  static bool runs_job_of(pool_core const& core) noexcept {
    for (auto* frame = innermost_; frame != nullptr; frame = frame->outer_) {
      if (&frame->core_ == &core && frame->running_job_) return true;
    }
    return false;
  }

  /// Whether this thread works for `core`, on a job or on a handler.
  static bool works_for(pool_core const& core) noexcept {
    for (auto* frame = innermost_; frame != nullptr; frame = frame->outer_) {
      if (&frame->core_ == &core) return true;
    }
    return false;
  }

  /// The job of the innermost frame, if there is one, has ended: what follows is its handler.
  static void job_ended() noexcept {
    if (innermost_ != nullptr) innermost_->running_job_ = false;
  }

 protected:
  pool_core const& core_;
  bool running_job_;

 private:
  job_frame* outer_;
  static inline constinit thread_local job_frame* innermost_ = nullptr;
};

/// A worker's turn, as the job that it runs sees it.
struct job_context : private job_frame {
  job_context(pool_core& owner, tally& own_counts, worker_activity& own_activity) noexcept
      : job_frame(owner, false), core(owner), counts(&own_counts), activity(&own_activity) {}

  void start(char const* name = nullptr) noexcept {
    counts->start();
    activity->start(name);
    running_job_ = true;
  }
  void end(outcome how) noexcept {
    running_job_ = false;
    activity->end();
    counts->end(how);
  }
  /// The job goes on as a coroutine; its end is counted where it happens.
  void leave_running() noexcept {
    running_job_ = false;
    activity->rest();
  }

  pool_core& core;
  tally* counts;
  worker_activity* activity;
};

}  // namespace brigade::detail
