// What async_submit has in common for jobs that may end before they run: functions that can be told to
// stop, have a deadline or a name, or may have to wait in line, and coroutines.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>

#include <brigade/detail/job_control.hpp>
#include <brigade/detail/retrying_job.hpp>
#include <brigade/detail/submission.hpp>
#include <brigade/detail/waiting_line.hpp>

namespace brigade::detail {

/// Such a job, in line for a slot.
class waiting_job final : public waiter {
 public:
  waiting_job(pool_core& core, std::shared_ptr<job_control> control, cancellable_job* job,
              submitter who)
      : waiter(control->lane(), who), until_told_(core), control_(std::move(control)), job_(job) {}

  void admit(pool_core& core, admission_claim const& claim) override {
    control_->queue(core, job_, claim);
  }
  void refuse(pool_core& core, error_code const& why) override {
    control_->forget_deadline();
    job_->refuse(core, why);
  }
  [[nodiscard]] error_code given_up() const noexcept override { return control_->wanted_end(); }

 private:
  pool_core::host_hold until_told_;
  std::shared_ptr<job_control> control_;
  cancellable_job* job_;
};

/// Lets the job join the line. False: there is no place left.
inline bool join_line(pool_core& core, std::shared_ptr<job_control> const& control,
                      cancellable_job* job) {
  auto const who = job_frame::runs_job_of(core) ? submitter::waiting_job : submitter::waiting;
  auto entry = std::make_unique<waiting_job>(core, control, job, who);
  auto const number = core.line().take_place(core, control->lane());
  if (number == 0) return false;
  control->wait_in_line(number);
  core.line().join(core.shared_from_this(), number, std::move(entry));
  return true;
}

/// Queues the job, lets it join the line or try again later. Otherwise says why not; then the job
/// is still the caller's. Connects the handler's slot and the deadline first, so that no early end
/// is missed.
template <class Handler>
verdict submit_early_ending(pool_core& core, std::shared_ptr<job_control> const& control,
                            cancellable_job* job, Handler const& handler,
                            submit_terms const& terms) {
  if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
    slot.template emplace<cancel_by_slot>(cancel_by_slot{control});
  }
  control->watch_deadline(core);
  auto const claim = core.admit(terms);
  if (claim.answer == verdict::admitted) {
    control->queue(core, job, claim);
  } else if (terms.retries(claim.answer)) {
    std::make_shared<retrying_job>(core, control, job, terms)->begin();
  } else if (!terms.waits(claim.answer) || !join_line(core, control, job)) {
    control->forget_deadline();
    return claim.answer;
  }
  return verdict::admitted;
}

/// The job itself, as the pool knows it while it is queued or in line. `Submission` is the class that
/// derives from this; it is boxed.
template <class Submission, class Handler, class F>
class early_ending_job : public cancellable_job {
 public:
  Handler& handler() noexcept { return work_.to.handler; }

  void discard(job_ending const& ending) override {
    auto in_group = std::move(in_group_);
    work_.discard(freeing(), ending);
    in_group.end(ending.how, verdict_exception(ending.why));
  }

  void refuse(pool_core& core, error_code const& why) override {
    auto in_group = std::move(in_group_);
    in_group.refuse(why);
    work_.refuse(freeing(), core, why);
  }

 protected:
  template <class G>
  early_ending_job(addressed_handler<Handler>&& to, G&& g, std::shared_ptr<group_member> member)
      : work_(std::move(to), std::forward<G>(g)), in_group_(std::move(member)) {}

  submission<Handler, F> work_;
  group_membership in_group_;

 private:
  auto freeing() {
    return [self = static_cast<Submission*>(this), allocator = allocator_of(handler())] {
      destroy_boxed(self, allocator);
    };
  }
};

template <class Submission, class Control>
struct submitted_job {
  Submission* job = nullptr;  // null: it was refused at once, and its handler will be told
  std::shared_ptr<Control> control{};
  verdict answer = verdict::closed;  // not admitted: the job is still the caller's
};

/// Makes the job and submits it.
template <class Submission, class Control, class Handler, class G>
submitted_job<Submission, Control> submit_boxed(pool_core& core, Handler&& handler, G&& job,
                                                submit_terms const& terms) {
  using R = typename job_shape<std::decay_t<G>>::result;
  addressed_handler<Handler> to(core, std::move(handler));
  if (auto const answer = core.probe(terms); answer != verdict::admitted) {
    if (terms.group != nullptr) terms.group->count_refused();
    refuse_later<R>(core, std::move(to), answer);
    return {};
  }
  auto control = std::make_shared<Control>(core, terms);
  auto const allocator = allocator_of(to.handler);
  auto* const box = make_boxed<Submission>(allocator, std::move(to), std::forward<G>(job), control);
  try {
    auto const answer = submit_early_ending(core, control, box, box->handler(), terms);
    return {box, std::move(control), answer};
  } catch (...) {
    destroy_boxed(box, allocator);
    throw;
  }
}

}  // namespace brigade::detail
