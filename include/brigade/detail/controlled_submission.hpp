// async_submit of a function that may end early: its handler has a cancellation slot, it takes a
// stop token, it has a deadline or a name, or it may have to wait in line.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>

#include <brigade/detail/job_control.hpp>
#include <brigade/detail/retrying_job.hpp>
#include <brigade/detail/submission.hpp>
#include <brigade/detail/waiting_line.hpp>

namespace brigade::detail {

/// Such a job in line for a slot.
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

template <class Handler, class F>
class controlled_submission final : public cancellable_job {
  using shape = job_shape<F>;
  using result = typename shape::result;

 public:
  template <class G>
  controlled_submission(addressed_handler<Handler>&& to, G&& g,
                        std::shared_ptr<job_control> control)
      : work_(std::move(to), std::forward<G>(g)), in_group_(std::move(control)) {}

  Handler& handler() noexcept { return work_.to.handler; }

  void start(job_context& context, std::shared_ptr<job_control> control) override {
    context.start(control->name());
    auto outcome_of_job = run(context.core, *control);
    auto const how = outcome_of_job.failure ? outcome::failed : outcome::completed;
    auto in_group = std::move(in_group_);
    auto told = std::move(work_.to);
    destroy_boxed(this, allocator_of(told.handler));
    context.end(how);
    in_group.end(how, outcome_of_job.failure);
    tell_here(context.core, std::move(told), std::move(outcome_of_job));
  }

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

  /// Whether the job's group, if it has one, lets its caller run it.
  bool enter_in_caller() noexcept { return in_group_.enter_in_caller(); }

  void run_in_caller(pool_core& core, job_control& control) {
    auto const keep = core.shared_from_this();  // the job may destroy the pool
    auto outcome_of_job = run(core, control);
    auto in_group = std::move(in_group_);
    auto told = std::move(work_.to);
    destroy_boxed(this, allocator_of(told.handler));
    core.count_caller_ran();
    in_group.end(outcome_of_job.failure ? outcome::failed : outcome::completed,
                 outcome_of_job.failure);
    tell_later(core, std::move(told), std::move(outcome_of_job));
  }

 private:
  job_result<result> run(pool_core& core, job_control& control) {
    job_result<result> outcome_of_job;
    if constexpr (shape::takes_stop_token) {
      outcome_of_job.of([&]() -> result {
        control.running(core);
        struct leave {
          job_control& control;
          pool_core& core;
          ~leave() { control.ended(core); }
        } const at_end{control, core};
        return std::invoke(std::move(work_.job), control.token());
      });
    } else {
      outcome_of_job.of([this]() -> result { return std::invoke(std::move(work_.job)); });
    }
    return outcome_of_job;
  }

  auto freeing() {
    return [this, allocator = allocator_of(handler())] { destroy_boxed(this, allocator); };
  }

  submission<Handler, F> work_;
  group_membership in_group_;
};

template <class Handler, class G>
void submit_controlled(pool_core& core, Handler&& handler, G&& job, submit_terms const& terms) {
  using F = std::decay_t<G>;
  using R = typename job_shape<F>::result;
  addressed_handler<Handler> to(core, std::move(handler));
  if (auto const answer = core.probe(terms); answer != verdict::admitted) {
    if (terms.group != nullptr) terms.group->count_refused();
    return refuse_later<R>(core, std::move(to), answer);
  }
  auto const control = std::make_shared<job_control>(core, terms);
  auto const allocator = allocator_of(to.handler);
  auto* const box = make_boxed<controlled_submission<Handler, F>>(allocator, std::move(to),
                                                                  std::forward<G>(job), control);
  auto answer = verdict::closed;
  try {
    answer = submit_early_ending(core, control, box, box->handler(), terms);
  } catch (...) {
    destroy_boxed(box, allocator);
    throw;
  }
  if (terms.runs_in_caller(answer) && !control->in_time()) {
    core.count_given_up(errc::expired);
    box->refuse(core, errc::expired);
  } else if (terms.runs_in_caller(answer) && box->enter_in_caller()) {
    box->run_in_caller(core, *control);
  } else if (auto const why = control->wanted_end(); why && terms.runs_in_caller(answer)) {
    core.count_given_up(why);
    box->refuse(core, why);
  } else if (answer != verdict::admitted) {
    box->refuse(core, core.refuse(answer));
  }
}

}  // namespace brigade::detail
