// async_submit of a function that can be cancelled: its handler has a cancellation slot, or it
// takes a stop token. SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>

#include <brigade/detail/job_control.hpp>
#include <brigade/detail/submission.hpp>

namespace brigade::detail {

/// Admits and publishes a job that `control` can cancel. Connects the handler's slot first, so that
/// no cancellation is missed.
template <class R, class Job, class Handler>
void submit_cancellable(pool_core& core, std::shared_ptr<job_control> control, Job* job,
                        Handler& handler) {
  auto const allocator = allocator_of(handler);
  job_queue::claim claim;
  try {
    if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
      slot.template emplace<cancel_by_slot>(cancel_by_slot{control});
    }
    claim = core.admit();
  } catch (...) {
    destroy_boxed(job, allocator);
    throw;
  }
  if (claim.answer != verdict::admitted) {
    Handler refused = std::move(handler);
    destroy_boxed(job, allocator);
    return refuse_later<R>(core, std::move(refused), claim.answer);
  }
  control->queue(job, claim.position);
  core.queue().open(claim).template emplace<control_shell>(std::move(control));
  core.queue().publish(claim);
  core.wake_if_needed();
}

template <class Handler, class F>
class controlled_submission final : public cancellable_job {
  using shape = job_shape<F>;
  using result = typename shape::result;

 public:
  template <class H, class G>
  controlled_submission(pool_core const& core, H&& h, G&& g)
      : work_(core, std::forward<H>(h), std::forward<G>(g)) {}

  Handler& handler() noexcept { return work_.to.handler; }

  void start(job_context& context, std::shared_ptr<job_control> control) override {
    context.start();
    job_result<result> outcome_of_job;
    if constexpr (shape::takes_stop_token) {
      outcome_of_job.of([&]() -> result {
        control->running(context.core);
        struct leave {
          job_control& control;
          pool_core& core;
          ~leave() { control.ended(core); }
        } const at_end{*control, context.core};
        return std::invoke(std::move(work_.job), control->token());
      });
    } else {
      outcome_of_job.of([this]() -> result { return std::invoke(std::move(work_.job)); });
    }
    auto told = std::move(work_.to);
    destroy_boxed(this, allocator_of(told.handler));
    context.end(outcome_of_job.failure ? outcome::failed : outcome::completed);
    tell_here(context.core, std::move(told), std::move(outcome_of_job));
  }

  void discard(pool_core& core, error_code const& why) override {
    work_.discard([this, allocator = allocator_of(handler())] { destroy_boxed(this, allocator); },
                  core, why);
  }

 private:
  submission<Handler, F> work_;
};

template <class Handler, class G>
void submit_controlled(pool_core& core, Handler&& handler, G&& job) {
  using F = std::decay_t<G>;
  using R = typename job_shape<F>::result;
  if (auto const answer = core.probe(); answer != verdict::admitted) {
    return refuse_later<R>(core, std::move(handler), answer);
  }
  auto control = std::make_shared<job_control>(core);
  auto* const box = make_boxed<controlled_submission<Handler, F>>(
      allocator_of(handler), core, std::move(handler), std::forward<G>(job));
  submit_cancellable<R>(core, std::move(control), box, box->handler());
}

}  // namespace brigade::detail
