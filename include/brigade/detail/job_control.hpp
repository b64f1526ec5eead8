// What connects a cancellable job with those who may cancel it.
//
// A job in the queue is owned by whoever takes its pointer out of `queued_`: the worker that starts
// it, the cancellation slot, or stop(). The exchange decides; the losers find null. The queue's
// cell holds only a shell that points here, so it can stay behind when the job has ended.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <stop_token>
#include <utility>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>

#include <brigade/detail/inline_job.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/stop_registry.hpp>

namespace brigade::detail {

class job_control;

/// A job that waits in the queue. Ends with one of its two calls, which destroy it.
class cancellable_job {
 public:
  virtual void start(job_context& context, std::shared_ptr<job_control> control) = 0;
  virtual void discard(pool_core& core, error_code const& why) = 0;

 protected:
  ~cancellable_job() = default;
};

class job_control : public stoppable {
 public:
  explicit job_control(pool_core& core) : core_(core.weak_from_this()) {}

  /// Before the job is published.
  void queue(cancellable_job* job, std::uint64_t position) noexcept {
    position_ = position;
    queued_.store(job, std::memory_order_release);
  }

  /// The job, for the one caller that gets it.
  cancellable_job* claim() noexcept { return queued_.exchange(nullptr, std::memory_order_acq_rel); }

  /// Ends the job if it is queued; asks it to stop if it runs.
  void cancel(boost::asio::cancellation_type type) {
    if (type == boost::asio::cancellation_type::none) return;
    // A pool that is gone has ended all that was queued.
    if (auto const core = core_.lock()) {
      pool_core::host_hold const until_told(*core);
      if (auto* const job = claim()) {
        job->discard(*core, boost::asio::error::operation_aborted);
        core->queue().bury(position_, *core);
        return;
      }
    }
    interrupt(type);
  }

  /// Asks the job to stop, should it run.
  virtual void interrupt(boost::asio::cancellation_type) { stop_.request_stop(); }
  void request_stop() final { interrupt(boost::asio::cancellation_type::terminal); }

  [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }

  /// From running() to ended() a stop() of the pool finds the job; one that came before is seen
  /// here.
  void running(pool_core& core) {
    core.registry().add(*this);
    registered_ = true;
    if (core.cancelling()) request_stop();
  }
  [[nodiscard]] std::shared_ptr<pool_core> core() const noexcept { return core_.lock(); }

  void ended(pool_core& core) noexcept {
    if (std::exchange(registered_, false)) core.registry().remove(*this);
  }

 private:
  std::weak_ptr<pool_core> core_;  // a slot that is never cleared must not keep the pool
  std::atomic<cancellable_job*> queued_{nullptr};
  std::uint64_t position_ = 0;
  std::stop_source stop_;
  bool registered_ = false;  // touched by whoever runs the job
};

/// What a cancellation slot holds. It is left there when the job has ended: to take it out would
/// race with a signal that is emitted from a thread of the user's choice, and it does nothing any
/// more.
struct cancel_by_slot {
  std::shared_ptr<job_control> control;
  void operator()(boost::asio::cancellation_type type) const {
    auto const kept = control;
    kept->cancel(type);
  }
};

/// What stands in the queue for a cancellable job.
struct control_shell {
  explicit control_shell(std::shared_ptr<job_control> c) noexcept : control(std::move(c)) {}
  std::shared_ptr<job_control> control;

  static std::shared_ptr<job_control> take(void* storage) noexcept {
    auto* const self = std::launder(static_cast<control_shell*>(storage));
    auto control = std::move(self->control);
    self->~control_shell();
    return control;
  }
  static void run(void* storage, job_context& context) {
    auto control = take(storage);
    if (auto* const job = control->claim()) job->start(context, std::move(control));
  }
  static void discard(void* storage, pool_core& core, error_code const& why) {
    auto const control = take(storage);
    if (auto* const job = control->claim()) job->discard(core, why);
  }
};

}  // namespace brigade::detail
