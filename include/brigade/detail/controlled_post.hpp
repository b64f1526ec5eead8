// try_post of a job with a deadline or a name.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <stdexcept>
#include <utility>

#include <brigade/detail/job_control.hpp>
#include <brigade/detail/post_job.hpp>

namespace brigade::detail {

[[noreturn]] inline void throw_try_never_waits() {
  throw std::invalid_argument(
      "brigade::submit_options::when_full: try_post never waits; overflow::wait is for "
      "async_submit, "
      "and post_for blocks");
}

template <class F>
class controlled_post final : public cancellable_job {
 public:
  template <class G>
  explicit controlled_post(G&& f) : f_(std::forward<G>(f)) {}

  void start(job_context& context, std::shared_ptr<job_control> control) override {
    run_posted(
        f_, [this] { delete this; }, context, control->name());
  }
  void discard(job_ending const& ending) override {
    delete this;
    ending.count();
  }
  void refuse(pool_core&, error_code const&) override { delete this; }

 private:
  F f_;
};

/// Admits first, so that a callable which is refused is not moved from.
template <class F>
error_code post_controlled(pool_core& core, F&& f, submit_terms const& terms) {
  auto const control = std::make_shared<job_control>(core, terms.options);
  control->watch_deadline(core);
  permit_count::unsettled const until_filled(core.permits(), terms.options.lane);
  auto const claim = core.admit(terms);
  if (terms.runs_in_caller(claim.answer)) {
    if (control->in_time()) return run_in_caller(core, std::forward<F>(f));
    core.count_given_up(errc::expired);
    return errc::expired;
  }
  if (claim.answer != verdict::admitted) return core.refuse(claim.answer);
  controlled_post<std::decay_t<F>>* job = nullptr;
  try {
    job = new controlled_post<std::decay_t<F>>(std::forward<F>(f));
  } catch (...) {
    give_up(core, claim, 0);
    core.wake_if_needed();
    throw;
  }
  control->queue(core, job, claim);
  return {};
}

}  // namespace brigade::detail
