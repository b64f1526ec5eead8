// brigade: ends several pools under one deadline.
//
//   auto const reports =
//       brigade::async_shutdown_all({parsers, writers}, brigade::shutdown_order::one_after_another,
//                                   {.drain = 20s, .cancel = 3s}, asio::use_future).get();
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <boost/asio/async_result.hpp>

#include <brigade/detail/shutdown_all_operation.hpp>
#include <brigade/error.hpp>
#include <brigade/shutdown.hpp>
#include <brigade/worker_pool.hpp>

namespace brigade {

/// The pools of an async_shutdown_all, in their order: `{parsers, writers}`.
using pools_to_end = std::vector<std::reference_wrapper<worker_pool>>;

/// Ends the pools as async_shutdown does, within the times of one: all of them are stopped or given
/// up after `lame_duck + drain + cancel`.
///
/// `shutdown_order::together`: each for itself, at the same time.
/// `shutdown_order::one_after_another`: a pool drains when the one before it has ended, and is a
/// lame duck until then, so that it admits what the pools before it send. When the drain's time is
/// over all that are left are cancelled at once.
///
/// A pool whose shutdown has begun before keeps the times that it began with.
///
/// Preconditions:  none
/// Completes with: `void(error_code, std::vector<shutdown_report>)`: no error and a report for each
///                 pool, in the order given, once the last has ended; or `operation_aborted`
///                 (cancelled) with empty reports for those that have not ended yet
/// Executor:       the handler's, else the first pool's; never inside this call
/// Cancellation:   terminal, partial, total: the wait ends, the shutdown goes on
/// Thread safety:  any thread, jobs and handlers included
/// Lifetime:       the pools may go first
/// Throws:         `std::invalid_argument` where there are no pools, or with the name of a negative
///                 time; `std::bad_alloc`; `std::system_error` if the control thread cannot be
/// started Cost:           for each pool that of async_shutdown
template <class Token>
auto async_shutdown_all(pools_to_end const& pools, shutdown_order order, shutdown_options times,
                        Token&& token) {
  if (pools.empty()) {
    throw std::invalid_argument(
        "brigade::async_shutdown_all: there are no pools; give at least one");
  }
  std::vector<std::shared_ptr<detail::pool_core>> cores;
  for (worker_pool& pool : pools) cores.push_back(pool.core_);
  auto* const first = cores.front().get();
  return boost::asio::async_initiate<Token, void(error_code, std::vector<shutdown_report>)>(
      worker_pool::initiate_shutdown_all{{first}}, token, std::move(cores), order, times);
}

/// The same, together.
template <class Token>
auto async_shutdown_all(pools_to_end const& pools, shutdown_options times, Token&& token) {
  return async_shutdown_all(pools, shutdown_order::together, times, std::forward<Token>(token));
}

}  // namespace brigade
