// What async_submit starts: chooses the kind of submission that a job, its handler and its options
// need.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>

#include <brigade/detail/backoff_steps.hpp>
#include <brigade/detail/caller_guard.hpp>
#include <brigade/detail/controlled_submission.hpp>
#include <brigade/detail/coroutine_submission.hpp>
#include <brigade/detail/group_state.hpp>
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

/// Holds what it needs: the group and the pool may be gone when it is called.
struct initiate_submit_in_group {
  using executor_type = asio::any_io_executor;
  std::shared_ptr<pool_core> core;
  std::shared_ptr<group_state> group;
  submit_options options;

  [[nodiscard]] executor_type get_executor() const noexcept { return core->executor(); }

  template <class Handler, class F>
  void operator()(Handler&& handler, F&& job) const {
    core->check_lane(options.lane);
    submit(*core, std::forward<Handler>(handler), std::forward<F>(job),
           {options, false, group.get()});
  }
};

struct initiate_retry : initiation {
  submit_options options;
  backoff_policy policy;

  template <class Handler, class F>
  void operator()(Handler&& handler, F&& job) const {
    check_backoff(policy);
    if (options.when_full != overflow::reject) {
      throw std::invalid_argument(
          "brigade::submit_options::when_full: async_retry is what is done when the pool is full; "
          "give overflow::reject, or use async_submit");
    }
    core->check_lane(options.lane);
    submit(*core, std::forward<Handler>(handler), std::forward<F>(job),
           {options, false, nullptr, &policy});
  }
};

/// Spends a slot that is held. The job gets one of its own before that is given back, so it cannot
/// be refused for want of room.
class initiate_submit_in_slot {
 public:
  using executor_type = asio::any_io_executor;

  initiate_submit_in_slot(held_slot&& slot, submit_options const& options)
      : core_(slot.core()->shared_from_this()), slot_(std::move(slot)), options_(options) {}
  /// Lazy tokens want to be copied. The slot stays with the original.
  initiate_submit_in_slot(initiate_submit_in_slot const& other)
      : core_(other.core_), options_(other.options_) {}
  initiate_submit_in_slot(initiate_submit_in_slot&&) = default;
  initiate_submit_in_slot& operator=(initiate_submit_in_slot const&) = delete;
  initiate_submit_in_slot& operator=(initiate_submit_in_slot&&) = delete;
  ~initiate_submit_in_slot() = default;

  [[nodiscard]] executor_type get_executor() const noexcept { return core_->executor(); }

  template <class Handler, class F>
  void operator()(Handler&& handler, F&& job) {
    if (slot_.core() == nullptr) {
      throw std::logic_error(
          "brigade::permit::async_submit: an operation that spends a permit was started twice");
    }
    auto const spent = std::move(slot_);
    submit(*core_, std::forward<Handler>(handler), std::forward<F>(job), {options_, true});
  }

 private:
  std::shared_ptr<pool_core> core_;
  held_slot slot_;
  submit_options options_;
};

}  // namespace brigade::detail
