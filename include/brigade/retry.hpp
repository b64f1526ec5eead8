// brigade: a job that tries again where the pool is full.
//
//   brigade::async_retry(pool, {.first = 5ms, .tries = 6}, job, token);
//
// Thread safety: may be called from any thread.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>

#include <brigade/detail/initiate_submit.hpp>
#include <brigade/detail/job_shape.hpp>
#include <brigade/options.hpp>
#include <brigade/worker_pool.hpp>

namespace brigade {

/// Runs `job` on the pool as worker_pool::async_submit does, and where the pool has no slot tries
/// again, after a random pause whose bound grows with each try ("exponential backoff with full
/// jitter"). Only `queue_full` is retried. It takes no slot and no thread while it pauses.
///
/// Those who stand in line (`overflow::wait`) come first: a retry gets a slot only when nobody
/// waits for one. Prefer the line for what comes from this process; retry where somebody else paces
/// the work, or the line is full.
///
/// Preconditions:  none
/// Completes with: as async_submit. `queue_full` when `policy.tries` or `policy.total` are used up,
///                 `closed` as soon as the pool closes, `expired` when `options.start_by` comes,
///                 `operation_aborted` when it is cancelled
/// Executor:       the handler's, else the pool's; never inside this call
/// Cancellation:   terminal, partial, total: while it pauses it is told at once and the job never
///                 runs; once admitted as async_submit
/// Thread safety:  any thread, jobs and handlers included
/// Lifetime:       as async_submit; a pause does not keep a drain from completing
/// Throws:         `std::invalid_argument` with the member of `policy` that is out of range, and
///                 for an `options.when_full` other than `overflow::reject`; `std::out_of_range`
///                 for a lane that the pool does not have; `std::system_error` if the control
///                 thread cannot be started; else as async_submit
/// Cost:           as async_submit with a cancellation slot; once it has to pause, a timer and a
///                 few blocks more, and a post a try. Counts as one rejection at the most
/// Example:        examples/11_retry.cpp
template <class F, class Token>
auto async_retry(worker_pool& pool, backoff_policy policy, F&& job, submit_options options,
                 Token&& token) {
  using signature = typename detail::job_shape<std::decay_t<F>>::signature;
  return boost::asio::async_initiate<Token, signature>(
      detail::initiate_retry{{pool.core_.get()}, options, policy}, token, std::forward<F>(job));
}

/// The same with the default options.
template <class F, class Token>
auto async_retry(worker_pool& pool, backoff_policy policy, F&& job, Token&& token) {
  return brigade::async_retry(pool, policy, std::forward<F>(job), submit_options{},
                              std::forward<Token>(token));
}

}  // namespace brigade
