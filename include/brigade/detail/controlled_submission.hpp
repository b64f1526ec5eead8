// async_submit of a function that may end early: its handler has a cancellation slot, it takes a
// stop token, it has a deadline or a name, or it may have to wait in line.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <brigade/detail/early_ending_job.hpp>
#include <brigade/detail/job_control.hpp>
#include <brigade/detail/submission.hpp>

namespace brigade::detail {

template <class Handler, class F>
class controlled_submission final
    : public early_ending_job<controlled_submission<Handler, F>, Handler, F> {
  using shape = job_shape<F>;
  using result = typename shape::result;
  using base = early_ending_job<controlled_submission, Handler, F>;
  using base::in_group_;
  using base::work_;

 public:
  template <class G>
  controlled_submission(addressed_handler<Handler>&& to, G&& g,
                        std::shared_ptr<job_control> control)
      : base(std::move(to), std::forward<G>(g), std::move(control)) {}

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
};

template <class Handler, class G>
void submit_controlled(pool_core& core, Handler&& handler, G&& job, submit_terms const& terms) {
  auto const [box, control, answer] =
      submit_boxed<controlled_submission<Handler, std::decay_t<G>>, job_control>(
          core, std::forward<Handler>(handler), std::forward<G>(job), terms);
  if (box == nullptr) return;
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
