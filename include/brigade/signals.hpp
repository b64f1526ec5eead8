// brigade: ends a pool, in order, when the process is asked to end.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

#include <boost/asio/async_result.hpp>

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
/// every worker is stuck.
///
/// Preconditions:  `options.signals` is not empty
/// Completes with: `void(error_code, shutdown_report)`: no error when the shutdown has ended, also
///                 where it was not a signal that ended the pool (then `report.signal` is 0); or
///                 `operation_aborted` (cancelled)
/// Executor:       the handler's, else the pool's; never inside this call
/// Cancellation:   terminal, partial, total: the signals are caught no longer; a shutdown that has
///                 begun goes on
/// Thread safety:  any thread
/// Throws:         `std::invalid_argument` with the option's name; `boost::system::system_error`
///                 with the number of a signal that cannot be caught; `std::bad_alloc`;
///                 `std::system_error` if the control thread cannot be started
/// Cost:           as async_shutdown
template <class Token>
auto async_run_until_signal(worker_pool& pool, signal_options options, Token&& token) {
  return boost::asio::async_initiate<Token, void(error_code, shutdown_report)>(
      worker_pool::initiate_run_until_signal{{pool.core_.get()}}, token, std::move(options));
}

}  // namespace brigade
