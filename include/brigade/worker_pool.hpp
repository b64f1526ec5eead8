// brigade: the pool.
//
//   brigade::worker_pool pool{{.threads = 4, .capacity = 512}};
//   if (pool.try_post([] { resize(); })) { /* full: say no */ }
//   std::future<int> sum = pool.async_submit([] { return add(); }, boost::asio::use_future);
//   pool.join();
//
// Thread safety: every member may be called from any thread, jobs and completion handlers included,
// until the destructor begins.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/detail/rtti.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/signal_set.hpp>

#include <boost/system/result.hpp>

#include <brigade/detail/blocking_post.hpp>
#include <brigade/detail/caller_guard.hpp>
#include <brigade/detail/controlled_post.hpp>
#include <brigade/detail/drain_operation.hpp>
#include <brigade/detail/help_while.hpp>
#include <brigade/detail/initiate_submit.hpp>
#include <brigade/detail/job_shape.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/pool_link.hpp>
#include <brigade/detail/post_job.hpp>
#include <brigade/detail/reservation.hpp>
#include <brigade/detail/shutdown_all_operation.hpp>
#include <brigade/detail/shutdown_operation.hpp>
#include <brigade/error.hpp>
#include <brigade/metrics.hpp>
#include <brigade/options.hpp>
#include <brigade/permit.hpp>
#include <brigade/pool_dump.hpp>
#include <brigade/pool_view.hpp>
#include <brigade/shutdown.hpp>

namespace brigade {

/// A fixed crew of workers behind a bound: at most `pool_options::capacity` jobs are in flight, the
/// next one is refused at once, and every admitted job has exactly one outcome.
///
/// Owns its threads, which run one io_context; or, in host mode, none: then it posts its work to
/// the host's executor and runs at most `pool_options::threads` jobs at the same moment.
///
/// Distinct objects: safe. Shared objects: safe.
class worker_pool {
 public:
  using executor_type = boost::asio::any_io_executor;

  /// Makes a pool with threads of its own and starts them.
  ///
  /// Throws: `std::invalid_argument` that names the option which is out of range;
  /// `std::system_error` if a thread cannot be started, with those already started joined;
  /// `std::bad_alloc`.
  explicit worker_pool(pool_options options = {})
      : core_(detail::pool_core::with_threads(std::move(options))) {
    link_.attach(*core_);
  }

  /// Makes a pool that works on the host's threads.
  ///
  /// The host's context may be destroyed before the pool: then queued jobs are cancelled, and their
  /// handlers are told `operation_aborted`; those that would have to run on the host are destroyed
  /// uncalled, as Asio does, and `on_handler_error` is told of each. A `threads` of 0 means the
  /// number of hardware threads here, too.
  ///
  /// Throws: as the other constructor; `std::invalid_argument` for an empty executor.
  explicit worker_pool(boost::asio::any_io_executor host, pool_options options = {})
      : core_(detail::pool_core::on_host(std::move(host), std::move(options))) {
    link_.attach(*core_);
  }

  worker_pool(worker_pool const&) = delete;
  worker_pool& operator=(worker_pool const&) = delete;

  /// stop(), then (own threads) join(). From one of the pool's own workers, a job or a handler, it
  /// returns without waiting: the other workers finish what they run, and the last one frees what
  /// they share. In host mode it waits for nothing: running jobs finish on the host.
  ~worker_pool() {
    core_->abandon();
    link_.detach();
  }

  /// An executor of the pool's context, for timers, sockets and coroutines. Not bounded, not
  /// counted: what is posted to it directly is no job. Handlers that are ready are run before
  /// join() returns; timers and sockets are not waited for. Valid as long as the pool (host mode:
  /// the host) is.
  [[nodiscard]] executor_type get_executor() const noexcept { return core_->executor(); }

  /// Runs `f()` on a worker, if there is a slot. No result is wanted; what `f` throws goes to
  /// `pool_options::on_job_error`.
  ///
  /// Returns: no error; or `errc::queue_full` · `errc::closed` with `f` untouched, not moved from.
  /// Throws: `std::bad_alloc` for a callable that needs heap memory, and what copying or moving `f`
  /// throws; then it was not admitted. Never for a verdict.
  /// Thread safety: any thread, jobs and handlers included. Never blocks.
  /// Cost: one compare-exchange, one exchange; no heap memory for a callable of at most 48 bytes
  /// that moves without throwing, but for 64 bytes at a thread's first call. A refusal sums up the
  /// workers' counts and adds to a counter.
  template <class F>
    requires(detail::check_postable<std::decay_t<F>>())
  [[nodiscard]] error_code try_post(F&& f) {
    auto& core = *core_;
    detail::caller_guard const inside(core);  // the job may destroy the pool before this returns
    return detail::post(core, std::forward<F>(f));
  }

  /// The same on terms: in a lane, with a deadline, with another answer to a full pool.
  ///
  /// Returns: as try_post; with `overflow::caller_runs` no error where the pool is full and `f` has
  /// been run here, or `errc::expired` where `options.start_by` has passed by then; with
  /// `overflow::drop_oldest` `errc::queue_full` only where nothing is queued.
  /// Throws: as try_post; `std::out_of_range` for a lane that the pool does not have;
  /// `std::invalid_argument` for `overflow::wait`, which post_for and async_submit do.
  /// Thread safety: as try_post.
  /// Cost: as try_post; with a deadline or a name two blocks of memory, with a deadline a lock
  template <class F>
    requires(detail::check_postable<std::decay_t<F>>())
  [[nodiscard]] error_code try_post(F&& f, submit_options const& options) {
    auto& core = *core_;
    detail::caller_guard const inside(core);
    core.check_lane(options.lane);
    if (options.when_full == overflow::wait) detail::throw_try_never_waits();
    detail::submit_terms const terms{options};
    return terms.need_control() ? detail::post_controlled(core, std::forward<F>(f), terms)
                                : detail::post(core, std::forward<F>(f), terms);
  }

  /// Posts `f` as soon as there is a slot, and blocks the calling thread until then, for `timeout`
  /// at the most. After some microseconds it stands in the same line as `overflow::wait`.
  ///
  /// Returns: no error; `errc::expired` (no slot in time) · `errc::queue_full` (the line is full,
  /// or `timeout` is not positive) · `errc::closed`; from a worker of this pool, which would wait
  /// for itself, always `resource_deadlock_would_occur` (of `std::errc`). Refused, `f` is not moved
  /// from.
  /// Throws: as try_post on terms. `options.start_by` is the timeout's, `when_full` is not looked
  /// at.
  /// Thread safety: any thread, but see above.
  /// Cost: as try_post where there is a slot within some microseconds; else, and with a name, as
  /// try_reserve and permit::post, and a few blocks of memory
  template <class F, class Rep, class Period>
    requires(detail::check_postable<std::decay_t<F>>())
  [[nodiscard]] error_code post_for(F&& f, std::chrono::duration<Rep, Period> timeout,
                                    submit_options options = {}) {
    auto& core = *core_;
    detail::caller_guard const inside(core);
    core.check_lane(options.lane);
    if (core.works_here()) {
      return boost::system::errc::make_error_code(
          boost::system::errc::resource_deadlock_would_occur);
    }
    options.when_full = overflow::reject;
    options.start_by.reset();
    if (timeout <= timeout.zero()) return try_post(std::forward<F>(f), options);
    bool const plain = options.name == nullptr;
    if (plain) {
      auto const at_once = detail::post_if_room(core, std::forward<F>(f), options.lane);
      if (at_once) return *at_once;
    }
    auto until = options;
    until.start_by = detail::time_after(timeout);
    if (plain) {
      auto const soon =
          detail::post_if_room_soon(core, std::forward<F>(f), options.lane, *until.start_by);
      if (soon) return *soon;
    }
    auto [refused, slot] = detail::reserve_blocking(core, until);
    if (refused) return refused;
    return permit(std::move(slot)).post(std::forward<F>(f), options);
  }

  /// A slot without a job, if there is one. Of `options` only the lane is looked at.
  ///
  /// Returns: a permit; or `errc::queue_full` · `errc::closed`.
  /// Throws: `std::out_of_range` for a lane that the pool does not have; `std::bad_alloc`.
  /// Thread safety: any thread. Never blocks.
  /// Cost: as try_post, and two operations on shared counts
  [[nodiscard]] boost::system::result<permit> try_reserve(submit_options const& options = {}) {
    auto& core = *core_;
    core.check_lane(options.lane);
    detail::permit_count::unsettled const moving(core.permits(), options.lane);
    auto const claim = core.admit(options.lane);
    if (claim.answer != detail::verdict::admitted) return core.refuse(claim.answer);
    detail::held_slot slot(core_, claim);
    if (slot.core() == nullptr) return core.refuse(detail::verdict::closed);
    return permit(std::move(slot));
  }

  /// Posts the longest prefix of `[first, last)` that fits, in one step.
  ///
  /// Elements are given to the pool as the iterators yield them: lvalues are copied (use
  /// `std::make_move_iterator` to move them), move-only lvalues are moved. Elements behind the
  /// prefix are untouched. Where the rest was refused, that counts as one rejection.
  ///
  /// Preconditions: forward iterators over callables.
  /// Returns: how many were admitted.
  /// Throws: what copying an element throws; the elements before it are admitted.
  /// Thread safety: any thread. Never blocks.
  /// Cost: one compare-exchange and one wake-up for the whole prefix.
  template <detail::multi_pass_iterator It>
    requires(detail::check_postable<std::decay_t<std::iter_reference_t<It>>>())
  std::size_t try_post_bulk(It first, It last) {
    auto& core = *core_;
    detail::caller_guard const inside(core);
    return detail::post_bulk(core, first, last);
  }

  /// Runs `job` on the pool and gives its result to `token`.
  ///
  /// `job` is called once, as `R()`, `R(std::stop_token)`, `asio::awaitable<R>()` or
  /// `asio::awaitable<R>(std::stop_token)`. A coroutine job holds its slot, and no thread, while it
  /// is suspended; it runs on a strand of its own. With GCC 12, give `job` a name before a
  /// `co_await` expression (docs/limitations.md).
  ///
  /// Preconditions:  none
  /// Completes with: `void(std::exception_ptr, R)`, or `void(std::exception_ptr)` where R is void.
  ///                 Null and the result; the job's own exception; or `system_error` with
  ///                 `queue_full` (no slot) · `closed` (admission ended) · `operation_aborted`
  ///                 (cancelled while queued, or the pool stopped)
  /// Executor:       the handler's, else the pool's; never inside this call
  /// Cancellation:   terminal, partial, total: while queued the job never runs and its slot is free
  ///                 at once; once running its stop_token, and a coroutine's cancellation state,
  ///                 are signalled, and it completes with what it returns
  /// Thread safety:  any thread, jobs and handlers included
  /// Lifetime:       the pool may go first: `operation_aborted`. The job is destroyed, and the
  ///                 operation's memory released, before the handler is called. A lazy token
  ///                 (`deferred`) must be started while the pool lives
  /// Throws:         what the handler's allocator, and moving `job` or the handler, throw; then
  ///                 nothing was admitted
  /// Cost:           none beyond try_post where job and handler fit in 48 bytes together; else one
  ///                 allocation from the handler's allocator. A cancellation slot, a stop token or
  ///                 a coroutine costs some more
  /// Example:        examples/2_results.cpp
  template <class F, class Token>
  auto async_submit(F&& job, Token&& token) {
    using signature = typename detail::job_shape<std::decay_t<F>>::signature;
    return boost::asio::async_initiate<Token, signature>(detail::initiate_submit{core_.get()},
                                                         token, std::forward<F>(job));
  }

  /// The same on terms: in a lane, with a deadline, with another answer to a full pool.
  ///
  /// Completes with: as above, and `system_error` with `expired` (not started by
  ///                 `options.start_by`) · `shed` (a newer job took its slot, or it had been queued
  ///                 for too long); `queue_full` with `overflow::wait` only if the line is full,
  ///                 with `overflow::drop_oldest` only if no job of the lane is queued
  /// Cancellation:   as above; a job in line for a slot leaves it and was never admitted
  /// Lifetime:       as above; a job that waits in line does not keep a drain from completing
  /// Throws:         as above; `std::out_of_range` for a lane that the pool does not have;
  ///                 `std::invalid_argument` for a coroutine with `overflow::caller_runs`
  /// Cost:           as above; with `wait`, a deadline or a name a block more; one that has to wait
  ///                 a post to the library's control thread, one with a deadline a lock
  template <class F, class Token>
  auto async_submit(F&& job, submit_options options, Token&& token) {
    using signature = typename detail::job_shape<std::decay_t<F>>::signature;
    return boost::asio::async_initiate<Token, signature>(
        detail::initiate_submit_on_terms{{core_.get()}, options}, token, std::forward<F>(job));
  }

  /// Waits in line for a slot, first come, first served.
  ///
  /// Completes with: `void(error_code, permit)`: a permit; or `queue_full` (the line is full) ·
  ///                 `closed` · `expired` (no slot by `options.start_by`) · `operation_aborted`
  ///                 (cancelled), with a permit that holds nothing. `options.when_full` is not
  ///                 looked at: it always waits
  /// Executor:       the handler's, else the pool's; never inside this call
  /// Cancellation:   terminal, partial, total: it leaves the line
  /// Thread safety:  any thread, jobs and handlers included
  /// Lifetime:       the pool may go first: `closed`
  /// Throws:         `std::out_of_range` for a lane that the pool does not have; `std::bad_alloc`;
  ///                 `std::system_error` if the control thread cannot be started
  /// Cost:           a post of the completion; one that has to wait a few blocks and a post more
  template <class Token>
  auto async_reserve(submit_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, permit)>(
        initiate_reserve{{core_.get()}, options}, token);
  }
  template <class Token>
  auto async_reserve(Token&& token) {
    return async_reserve(submit_options{}, std::forward<Token>(token));
  }

  /// About how long a job that is submitted now will be queued: what is queued, at the pace of
  /// late. For a `Retry-After`. Zero where nothing is queued, and with `timing::off`.
  ///
  /// Thread safety: any thread.
  /// Cost: as metrics()
  [[nodiscard]] std::chrono::nanoseconds estimated_wait() const { return core_->estimated_wait(); }

  /// Whether the calling thread works for this pool: it is one of its threads, or runs one of its
  /// jobs or handlers. What blocks here, such as `future.get()`, may wait for itself: see wait().
  [[nodiscard]] bool running_in_this_thread() const noexcept { return core_->works_here(); }

  /// Waits until `future` (a `std::future` or `std::shared_future`) is ready. On one of the pool's
  /// own workers it runs queued jobs, and handlers that are ready, meanwhile: so a job may wait for
  /// another one, even where every worker does. Elsewhere it just waits. A job that is run in here
  /// and waits as well takes more of the same stack.
  ///
  /// Returns: the future, ready. `pool.wait(std::move(future)).get()` gives its result.
  /// Throws: what waiting for the future throws, such as `std::future_error` for one without a
  /// state.
  /// Thread safety: any thread.
  /// Cost: where there is nothing to run, looks again every millisecond
  template <class Future>
  Future wait(Future&& future) {
    detail::help_while_waiting(*core_, future);
    return std::forward<Future>(future);
  }

  /// Ends admission: from now on everyone is refused with `errc::closed`, but jobs that are
  /// running. Accepted jobs run on. Idempotent.
  ///
  /// Thread safety: any thread.
  void close() noexcept { core_->close(); }

  /// close(), then completes once nothing is in flight.
  ///
  /// Completes with: `void(error_code)`: no error; or `operation_aborted` (cancelled)
  /// Executor:       the handler's, else the pool's; never inside this call. It is told of the
  ///                 drain even while the pool's threads are busy with handlers
  /// Cancellation:   terminal, partial, total: the wait ends, the pool stays closed
  /// Thread safety:  any thread, jobs and handlers included
  /// Throws:         `std::bad_alloc`; `std::system_error` if the control thread, which the first
  ///                 call in the process starts, cannot be started
  /// Cost:           a few allocations, and the one thread
  template <class Token>
  auto async_drain(Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code)>(initiate_drain{core_.get()}, token);
  }

  /// Ends the pool in phases: lame duck (still admits), draining, cancelling, stopped; each takes
  /// no longer than `times` says. A pool that drains in time goes no further. A second call joins
  /// the first, with its times; close() and stop() move it on. docs/shutdown.md has a picture.
  ///
  /// Completes with: `void(error_code, shutdown_report)`: no error when the pool has stopped or the
  ///                 times are over; or `operation_aborted` (cancelled; the report is empty)
  /// Executor:       the handler's, else the pool's; never inside this call. It is told even while
  ///                 every worker is stuck
  /// Cancellation:   terminal, partial, total: the wait ends, the shutdown goes on
  /// Thread safety:  any thread, jobs and handlers included
  /// Lifetime:       the pool may go first. Jobs that were abandoned keep running on threads that
  ///                 nobody joins; what they use must outlive them
  /// Throws:         `std::invalid_argument` with the name of a negative time; `std::bad_alloc`;
  ///                 `std::system_error` if the control thread, which the first call in the process
  ///                 starts, cannot be started
  /// Cost:           a few allocations, and the one thread
  template <class Token>
  auto async_shutdown(shutdown_options times, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, shutdown_report)>(
        initiate_shutdown{core_.get()}, token, times);
  }

  /// close(), cancels all that is queued, asks all that runs to stop, and returns.
  ///
  /// Each queued job's handler is told `operation_aborted`; a queued try_post job counts as
  /// cancelled. What runs sees its stop_token, or its coroutine's cancellation state. Idempotent.
  ///
  /// Throws: what posting a completion throws.
  /// Thread safety: any thread.
  /// Cost: proportional to the number of queued jobs.
  void stop() { core_->stop(); }

  /// close(), then waits until every accepted job and its handler have run, and the threads have
  /// ended; after a shutdown that abandoned jobs it waits no longer. Idempotent; several threads
  /// may wait. In host mode it waits for the jobs only, and must not be called by the thread that
  /// is to run them.
  ///
  /// Throws: `std::system_error` with `resource_deadlock_would_occur` from one of the pool's own
  /// workers.
  /// Thread safety: any other thread.
  void join() { core_->join(); }

  /// How far the pool's end has come.
  [[nodiscard]] pool_state state() const noexcept { return core_->state(); }

  /// A consistent snapshot.
  ///
  /// Thread safety: any thread, at any time until the destructor returns.
  /// Cost: reads one cache line a worker; takes no lock unless jobs have overflowed the ring.
  [[nodiscard]] pool_metrics metrics() const { return core_->metrics(); }

  /// The same with what runs at this moment: names, ages, threads.
  ///
  /// Thread safety: any thread, at any time until the destructor returns.
  /// Throws: `std::bad_alloc`.
  /// Cost: as metrics(), and a string for everything that runs.
  [[nodiscard]] pool_dump dump() const { return core_->dump(); }

  /// A view of this pool, for whoever shows its numbers and may outlive it.
  ///
  /// Thread safety: any thread.
  /// Cost: counts a reference.
  [[nodiscard]] pool_view view() const noexcept { return pool_view{link_.link()}; }

 private:
  friend class task_group;
  template <class F, class Token>
  friend auto async_retry(worker_pool& pool, backoff_policy policy, F&& job, submit_options options,
                          Token&& token);
  using initiation = detail::initiation;

  struct initiate_reserve : initiation {
    submit_options options;

    template <class Handler>
    void operator()(Handler&& handler) const {
      detail::caller_guard const inside(*core);
      core->check_lane(options.lane);
      std::decay_t<Handler> own(std::forward<Handler>(handler));
      detail::reserve_later<permit>(*core, std::move(own), options);
    }
  };

  struct initiate_drain : initiation {
    template <class Handler>
    void operator()(Handler&& handler) const {
      std::decay_t<Handler> own(std::forward<Handler>(handler));
      detail::drain(*core, std::move(own));
    }
  };

  struct initiate_shutdown : initiation {
    template <class Handler>
    void operator()(Handler&& handler, shutdown_options const& times) const {
      std::decay_t<Handler> own(std::forward<Handler>(handler));
      detail::shut_down(*core, std::move(own), times);
    }
  };

  template <class Token>
  friend auto async_run_until_signal(worker_pool& pool, signal_options options, Token&& token);
  template <class Token>
  friend auto async_run_until_signal(worker_pool& pool, boost::asio::signal_set& signals,
                                     signal_options options, Token&& token);
  struct initiate_run_until_signal : initiation {
    template <class Handler>
    void operator()(Handler&& handler, signal_options options) const {
      std::decay_t<Handler> own(std::forward<Handler>(handler));
      detail::run_until_signal(*core, std::move(own), std::move(options));
    }
    template <class Handler>
    void operator()(Handler&& handler, signal_options options,
                    boost::asio::signal_set* signals) const {
      std::decay_t<Handler> own(std::forward<Handler>(handler));
      detail::run_until_signal(*core, std::move(own), std::move(options), *signals);
    }
  };

  template <class Token>
  friend auto async_shutdown_all(std::vector<std::reference_wrapper<worker_pool>> const& pools,
                                 shutdown_order order, shutdown_options times, Token&& token);
  struct initiate_shutdown_all : initiation {
    template <class Handler>
    void operator()(Handler&& handler, std::vector<std::shared_ptr<detail::pool_core>> pools,
                    shutdown_order order, shutdown_options const& times) const {
      std::decay_t<Handler> own(std::forward<Handler>(handler));
      detail::shut_down_all(std::move(pools), std::move(own), order, times);
    }
  };

  detail::pool_link_owner link_;  // first: once there are threads nothing may throw any more
  std::shared_ptr<detail::pool_core> core_;
};

}  // namespace brigade
