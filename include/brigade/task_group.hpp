// brigade: jobs that belong together.
//
//   brigade::task_group parts{pool, {.max_running = 2, .cancel_on_failure = true}};
//   for (auto& part : all) parts.async_submit([&part] { convert(part); }, asio::detached);
//   co_await parts.async_wait(asio::use_awaitable);  // throws what the first that failed threw
//
// Thread safety: distinct objects: safe. Shared objects: safe.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <brigade/detail/group_state.hpp>
#include <brigade/detail/group_wait.hpp>
#include <brigade/detail/initiate_submit.hpp>
#include <brigade/detail/job_shape.hpp>
#include <brigade/metrics.hpp>
#include <brigade/options.hpp>
#include <brigade/worker_pool.hpp>

namespace brigade {

/// Jobs of one pool that are awaited and cancelled together, and of which no more than
/// `task_group_options::max_running` run at once.
///
/// May be destroyed before its jobs have ended, which neither cancels nor waits: they run on, and
/// those who wait for the group are told. The pool may be destroyed first, which ends them.
///
/// A bound (a bulkhead in the pool) does not hold up the pool's workers: a job that comes to one
/// while as many of its group run is held back, and the worker goes on with the next. It stays
/// queued, with its slot, and goes before all others when its turn has come, in the order in which
/// the group's jobs came. A coroutine runs until it has ended, suspended or not.
///
/// Distinct objects: safe. Shared objects: safe.
class task_group {
 public:
  using executor_type = worker_pool::executor_type;

  /// Throws: `std::bad_alloc`
  explicit task_group(worker_pool& pool, task_group_options options = {})
      : core_(pool.core_),
        state_(std::make_shared<detail::group_state>(options.max_running,
                                                     options.cancel_on_failure)) {}

  task_group(task_group const&) = delete;
  task_group& operator=(task_group const&) = delete;

  /// The pool's; see worker_pool::get_executor().
  [[nodiscard]] executor_type get_executor() const noexcept { return core_->executor(); }

  /// Runs `job` on the pool as a job of this group, and gives its result to `token`.
  ///
  /// Preconditions:  none
  /// Completes with: as worker_pool::async_submit; `operation_aborted` too where the group has been
  ///                 cancelled and not been waited for since. With `overflow::caller_runs`
  ///                 `queue_full` where as many of the group run as may
  /// Executor:       the handler's, else the pool's; never inside this call
  /// Cancellation:   as worker_pool::async_submit; a job that is held back is a queued one
  /// Thread safety:  any thread, jobs and handlers included
  /// Lifetime:       the group and the pool may go first
  /// Throws:         as worker_pool::async_submit
  /// Cost:           as worker_pool::async_submit with a cancellation slot, and the group's lock
  ///                 four times; with a bound one block of memory more
  /// Example:        examples/10_groups.cpp
  template <class F, class Token>
  auto async_submit(F&& job, submit_options options, Token&& token) {
    using signature = typename detail::job_shape<std::decay_t<F>>::signature;
    return boost::asio::async_initiate<Token, signature>(
        detail::initiate_submit_in_group{core_, state_, options}, token, std::forward<F>(job));
  }
  template <class F, class Token>
  auto async_submit(F&& job, Token&& token) {
    return async_submit(std::forward<F>(job), submit_options{}, std::forward<Token>(token));
  }

  /// Waits until no job of the group is left: those that are added meanwhile, by its jobs, by their
  /// handlers on the pool or by anybody else, are waited for as well. By then the slot of each job
  /// is free, and its handler has been called where it runs on the worker, else given to its
  /// executor. Completes at once, though not inside this call, where there is none.
  ///
  /// The first to be told takes the group's result with it: after that the group is as new, a
  /// cancelled one too. All that wait at the same time are told the same.
  ///
  /// Preconditions:  none
  /// Completes with: `void(std::exception_ptr)`. Null if every job completed; else what the first
  ///                 was told that threw, expired or was shed; if there is none,
  ///                 `operation_aborted`, for some were cancelled. Jobs that were refused
  ///                 (`queue_full`, `closed`) do not matter: their handlers know.
  ///                 `operation_aborted` also where this wait is cancelled
  /// Executor:       the handler's, else the pool's; never inside this call
  /// Cancellation:   terminal, partial, total: the wait ends, the jobs go on
  /// Thread safety:  any thread, jobs and handlers included; but a job that waits for its own group
  ///                 to be empty waits for itself
  /// Lifetime:       the group and the pool may go first. After a shutdown that abandoned jobs of
  ///                 the group it completes when they end, if they do
  /// Throws:         `std::bad_alloc`
  /// Cost:           three blocks of memory, and a post of the completion
  template <class Token>
  auto async_wait(Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr)>(
        initiate_wait{core_, state_}, token);
  }

  /// Ends the jobs of the group that wait or are queued, with `operation_aborted`, asks those that
  /// run to stop, and returns. No job of the group starts once this has returned, those that are
  /// added later neither, until an async_wait() has completed: so a group whose jobs keep adding
  /// jobs can be ended.
  ///
  /// Throws: what posting a completion throws.
  /// Thread safety: any thread, jobs of the group included.
  /// Cost: proportional to the jobs of the group
  void cancel() { state_->cancel(); }

  /// A consistent snapshot.
  /// Thread safety: any thread.
  /// Cost: the group's lock
  [[nodiscard]] task_group_metrics metrics() const noexcept { return state_->metrics(); }

 private:
  struct initiate_wait {
    using executor_type = boost::asio::any_io_executor;
    std::shared_ptr<detail::pool_core> core;
    std::shared_ptr<detail::group_state> state;
    [[nodiscard]] executor_type get_executor() const noexcept { return core->executor(); }

    template <class Handler>
    void operator()(Handler&& handler) const {
      std::decay_t<Handler> own(std::forward<Handler>(handler));
      detail::wait_for_group(core, state, std::move(own));
    }
  };

  std::shared_ptr<detail::pool_core> core_;
  std::shared_ptr<detail::group_state> state_;
};

}  // namespace brigade
