// brigade: ends a pool, in order, when the process is asked to end.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/signal_set.hpp>

#include <brigade/error.hpp>
#include <brigade/shutdown.hpp>
#include <brigade/worker_pool.hpp>

namespace brigade {

/// Waits for a signal and then shuts the pool down, as async_shutdown does with the times in
/// `options`. The signals are caught by an `asio::signal_set` before this call returns.
///
/// The first signal begins the shutdown, the second goes to `cancelling` at once, the third
/// restores the default action and is raised again, so that a shell sees how the process died. Once
/// the shutdown has ended, what the process did with the signals before is restored. It works while
/// every worker is stuck, and whatever threads of the program have the signals blocked: the
/// library's control thread heeds them.
///
/// `options.dump_on` makes one more signal print what the pool is doing, from this call to the
/// completion.
///
/// Preconditions:  `options.signals` is not empty
/// Completes with: `void(error_code, shutdown_report)`: no error when the shutdown has ended, also
///                 where it was not a signal that ended the pool (then `report.signal` is 0); or
///                 `operation_aborted` (cancelled)
/// Executor:       the handler's, else the pool's; never inside this call
/// Cancellation:   terminal, partial, total: the signals are caught no longer; a shutdown that has
/// begun goes on Thread safety:  any thread
/// Throws:         `std::invalid_argument` with the option's name; `boost::system::system_error`
///                 with the number of a signal that cannot be caught; `std::bad_alloc`;
///                 `std::system_error` if the control thread cannot be started
/// Cost:           as async_shutdown
template <class Token>
auto async_run_until_signal(worker_pool& pool, signal_options options, Token&& token) {
  return boost::asio::async_initiate<Token, void(error_code, shutdown_report)>(
      worker_pool::initiate_run_until_signal{{pool.core_.get()}}, token, std::move(options));
}

/// The same with a signal_set of the host's: for a program that handles its signals in one place,
/// or that must not have its signals' dispositions touched. `options.signals` is not looked at;
/// every signal of the set counts, but for `options.dump_on`, which has to be in the set, too.
///
/// Preconditions:  until the completion nobody else waits on the set, its context is run, and its
///                 executor runs one handler at a time (one thread, or a strand). The work of the
///                 wait keeps the context running
/// Completes with: as above; `operation_aborted` also where the set is cancelled or destroyed. A
///                 shutdown that has begun goes on. The set is free to be used, or destroyed, when
///                 the handler is called; its signals are still caught by it
/// Executor, Cancellation, Thread safety, Cost: as above. `on_dump` is called on the set's executor
/// Throws:         `std::invalid_argument` with the name of a negative time, or for a set on the
///                 pool's own executor; `std::bad_alloc`; `std::system_error` if the control thread
///                 cannot be started
template <class Token>
auto async_run_until_signal(worker_pool& pool, boost::asio::signal_set& signals,
                            signal_options options, Token&& token) {
  return boost::asio::async_initiate<Token, void(error_code, shutdown_report)>(
      worker_pool::initiate_run_until_signal{{pool.core_.get()}}, token, std::move(options),
      &signals);
}

}  // namespace brigade
