// What connects a job with those who may end it before it runs, or ask it to stop while it does.
//
// Invariants
// 1. A job in the queue is owned by whoever takes its pointer out of `queued_`: the worker that
//    starts it, or whoever ends it early (a cancellation, its deadline, stop(), a newer job). The
//    exchange decides; the losers find null. The queue's cell holds only a shell that points here,
//    so it can stay behind when the job has ended.
// 2. A job in line for a slot belongs to the line's strand. `line_number_` says so; who wants to
//    end it early asks the strand, and comes back here if it has left the line by then.
// 3. Nothing that comes between is lost: who ends a job early raises `early_`, then takes the
//    pointer; who queues it stores the pointer, then looks at `early_`. All four are sequentially
//    consistent, so one of the two sees the other.
// 4. A job that its group holds back is still one in the queue: the worker that came with it has
//    not touched `queued_`, and has only moved the shell from the ring to the lane's shelf.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <utility>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>

#include <brigade/detail/deadline_set.hpp>
#include <brigade/detail/group_state.hpp>
#include <brigade/detail/inline_job.hpp>
#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/job_shelf.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/stop_registry.hpp>
#include <brigade/detail/submit_terms.hpp>

namespace brigade::detail {

class job_control;

/// A job that waits for a worker or for a slot. Ends with one of its calls, which destroy it.
class cancellable_job {
 public:
  virtual void start(job_context& context, std::shared_ptr<job_control> control) = 0;
  /// It was admitted, and does not run.
  virtual void discard(job_ending const& ending) = 0;
  /// It was never admitted.
  virtual void refuse(pool_core& core, error_code const& why) = 0;

 protected:
  ~cancellable_job() = default;
};

class job_control : public stoppable, public group_member, private deadline {
 public:
  job_control(pool_core& core, submit_options const& options)
      : job_control(core, submit_terms{options}) {}
  job_control(pool_core& core, submit_terms const& terms)
      : group_member(terms.group != nullptr ? terms.group->shared_from_this() : nullptr),
        core_(core.weak_from_this()),
        lane_(terms.options.lane),
        name_(terms.options.name),
        start_by_(terms.options.start_by) {
    if (group() != nullptr && group()->is_bounded()) shell_ = overflow_store::make_node();
  }
  ~job_control() override { forget_deadline(); }

  [[nodiscard]] char const* name() const noexcept { return name_; }
  [[nodiscard]] unsigned lane() const noexcept { return lane_; }

  /// By whoever runs the job and wants to end it elsewhere.
  void keep_note(job_note const& note) noexcept { note_ = note; }
  [[nodiscard]] job_note const& note() const noexcept { return note_; }

  /// Watches the deadline, if there is one, from now on. Call before the job is queued or in line.
  void watch_deadline(pool_core& core) {
    if (!start_by_) return;
    deadlines_ = core.deadlines();
    deadlines_->add(*this, *start_by_, weak_from_this());
  }

  /// The job has ended, or was never admitted.
  void forget_deadline() noexcept {
    if (deadlines_) deadlines_->remove(*this);
  }

  /// Before the job joins the line under this number.
  void wait_in_line(std::uint64_t number) noexcept {
    line_number_.store(number, std::memory_order_seq_cst);
  }

  /// What somebody wanted it to end of while it was on its way to the line; no error: nobody did.
  [[nodiscard]] error_code wanted_end() const noexcept;

  /// Puts the job, which `job` owns from now on, where a claim has been given out for it.
  void queue(pool_core& core, cancellable_job* job, admission_claim const& claim);

  /// The job, for the one caller that gets it.
  cancellable_job* claim() noexcept { return queued_.exchange(nullptr, std::memory_order_seq_cst); }

  /// By the worker that has come with the job: what its group says.
  group_state::entry enter_group(job_context& context) noexcept {
    return group() == nullptr ? group_state::entry::start : group()->enter(*this, context);
  }

  /// By the worker that has claimed the job: whether it is still to be started.
  [[nodiscard]] bool in_time() noexcept {
    if (!start_by_) return true;
    forget_deadline();
    return clock::now() < *start_by_;
  }

  /// Ends the job if it has not started; asks it to stop if it runs.
  void cancel(boost::asio::cancellation_type type) {
    if (type != boost::asio::cancellation_type::none) end_early(outcome::cancelled, type);
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
  void end_early(outcome how, boost::asio::cancellation_type type);
  void end_outside_of_line(pool_core& core, outcome how, boost::asio::cancellation_type type);
  std::shared_ptr<job_control> shared() noexcept {
    return std::static_pointer_cast<job_control>(weak_from_this().lock());
  }
  std::shared_ptr<group_member> keep_member() noexcept final { return shared(); }
  void cancel_member() final { cancel(boost::asio::cancellation_type::terminal); }
  void hold_back(job_context& context) noexcept final;
  void call() noexcept final;
  void expire() override { end_early(outcome::expired, boost::asio::cancellation_type::none); }

  std::weak_ptr<pool_core> core_;  // a slot that is never cleared must not keep the pool
  std::atomic<cancellable_job*> queued_{nullptr};
  std::uint64_t position_ = 0;  // of the job in queued_
  job_note note_;               // the same
  std::atomic<std::uint64_t> line_number_{0};
  unsigned const lane_;
  char const* const name_;
  std::optional<clock::time_point> const start_by_;
  std::shared_ptr<deadline_set> deadlines_;
  job_shelf::node shell_;  // where the job may have to be held back; made beforehand

  std::atomic<outcome> early_{
      outcome::completed};  // how it shall end early; completed: it need not
  std::atomic<boost::asio::cancellation_type> early_type_{boost::asio::cancellation_type::none};

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

/// What stands in the queue for such a job.
struct control_shell {
  explicit control_shell(std::shared_ptr<job_control> c) noexcept : control(std::move(c)) {}
  std::shared_ptr<job_control> control;

  static std::shared_ptr<job_control> take(void* storage) noexcept {
    auto* const self = std::launder(static_cast<control_shell*>(storage));
    auto control = std::move(self->control);
    self->~control_shell();
    return control;
  }
  static void run(void* storage, job_context& context);
  static bool discard(void* storage, job_ending const& ending) {
    auto const control = take(storage);
    auto* const job = control->claim();
    if (job == nullptr) return false;
    auto own = ending;
    own.note = control->note();  // with its name
    job->discard(own);
    return true;
  }
};

}  // namespace brigade::detail
