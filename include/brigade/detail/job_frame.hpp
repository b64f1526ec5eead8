// Which pool's job this thread is running: how a running job is told from everybody else, who is
// refused while the pool drains.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include <brigade/detail/asymmetric_fence.hpp>
#include <brigade/detail/atomic.hpp>
#include <brigade/detail/job_note.hpp>
#include <brigade/detail/ledger.hpp>
#include <brigade/detail/worker_activity.hpp>

namespace brigade::detail {

class inline_job;
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
  enum class writers { one, many };

  /// `slots_awaited` says whether somebody waits for a slot that comes free; `writers` how many
  /// threads write the counts.
  job_context(pool_core& owner, tally& job_counts, worker_activity& what_runs,
              atomic<bool> const& slots_awaited, writers of_counts = writers::one) noexcept
      : job_frame(owner, false),
        core(owner),
        counts(&job_counts),
        activity(&what_runs),
        slots_awaited_(slots_awaited),
        special_(of_counts == writers::many ? shared_counts : 0) {}

  void start(char const* name = nullptr) noexcept {
    running_job_ = true;
    if (name != nullptr || is_special()) [[unlikely]]
      return start_specially(name);
    activity->start();
    counts->start();
  }
  void end(outcome how) noexcept {
    activity->end();
    end_without_handler(how);
  }
  /// Nothing follows the job on its worker: what the worker is busy with next says that it is over.
  void end_without_handler(outcome how) noexcept {
    running_job_ = false;
    if (is_special()) [[unlikely]] {
      end_specially(how);
    } else {
      counts->end(how);
    }
    light_fence();  // against who joins the line: see waiting_line.hpp
    if (slots_awaited_.load(std::memory_order_relaxed)) [[unlikely]]
      tell_of_free_slot();
  }
  /// The job goes on as a coroutine; its end is counted where it happens.
  void leave_running() noexcept {
    running_job_ = false;
    activity->rest();
  }

  pool_core& core;
  tally* counts;                      // for the lane that its job is of
  worker_activity* activity;          // of the worker that runs it
  unsigned lane = 0;                  // that its job is of
  job_note note;                      // of its job, if there is one
  std::optional<unsigned> worker;     // none: a job that is run while another one waits
  inline_job const* taken = nullptr;  // what the job came in

 private:
  // In one test for every job.
  [[nodiscard]] bool is_special() const noexcept { return (note.admitted | special_) != 0; }
  void start_specially(char const* name) noexcept;
  void end_specially(outcome how) noexcept;
  void tell_of_free_slot() noexcept;

  static constexpr std::int64_t shared_counts = 1;  // many threads write the counts
  static constexpr std::int64_t shows_name = 2;     // the activity does, of this or an earlier job

  atomic<bool> const& slots_awaited_;
  std::int64_t special_;
};

}  // namespace brigade::detail
