// What async_submit starts: chooses the kind of submission that a job, its handler and its options
// need.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>

#include <brigade/detail/caller_guard.hpp>
#include <brigade/detail/controlled_submission.hpp>
#include <brigade/detail/coroutine_submission.hpp>
#include <brigade/detail/held_slot.hpp>
#include <brigade/detail/job_shape.hpp>
#include <brigade/detail/submission.hpp>
#include <brigade/detail/submit_terms.hpp>

namespace brigade::detail {

/// Function objects, not lambdas, so that adapters find the executor.
struct initiation {
  using executor_type = asio::any_io_executor;
  pool_core* core;
  [[nodiscard]] executor_type get_executor() const noexcept { return core->executor(); }
};

template <class Handler, class F>
void submit(pool_core& core, Handler&& handler, F&& job, submit_terms const& terms) {
  caller_guard const inside(core);  // the job may destroy the pool before this returns
  using shape = job_shape<std::decay_t<F>>;
  std::decay_t<Handler> own(std::forward<Handler>(handler));
  if constexpr (shape::is_coroutine) {
    submit_coroutine(core, std::move(own), std::forward<F>(job), terms);
  } else if (shape::takes_stop_token || terms.need_control() ||
             asio::get_associated_cancellation_slot(own).is_connected()) {
    submit_controlled(core, std::move(own), std::forward<F>(job), terms);
  } else if constexpr (!shape::takes_stop_token) {
    submit_function(core, std::move(own), std::forward<F>(job), terms);
  }
}

struct initiate_submit : initiation {
  template <class Handler, class F>
  void operator()(Handler&& handler, F&& job) const {
    submit(*core, std::forward<Handler>(handler), std::forward<F>(job), {});
  }
};

struct initiate_submit_on_terms : initiation {
  submit_options options;

  template <class Handler, class F>
  void operator()(Handler&& handler, F&& job) const {
    core->check_lane(options.lane);
    submit(*core, std::forward<Handler>(handler), std::forward<F>(job), {options});
  }
};

/// Spends a slot that is held. The job gets one of its own before that is given back, so it cannot
/// be refused for want of room.
struct initiate_submit_in_slot {
  using executor_type = asio::any_io_executor;
  held_slot slot;
  submit_options options;

  [[nodiscard]] executor_type get_executor() const noexcept { return slot.core()->executor(); }

  template <class Handler, class F>
  void operator()(Handler&& handler, F&& job) {
    auto const spent = std::move(slot);
    submit(*spent.core(), std::forward<Handler>(handler), std::forward<F>(job), {options, true});
  }
};

}  // namespace brigade::detail
