// press: serving until a signal comes, and the orderly end after it.
//
//   first signal    the door is closed; requests whose header had arrived are answered as ever,
//   bodies
//                   that are still on their way have `--grace` to arrive; later requests get 503
//                   and `Connection: close`; then the pool is drained, idle connections are closed,
//                   and one line of report is printed
//   second signal   bodies on their way and jobs that wait are given up, with 503; what runs, runs
//   on third signal    has its default effect: the process dies of it
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/signal_set.hpp>

#include "listener.hpp"
#include "service.hpp"

namespace press {

/// Runs on `service.control`. Returns the exit status: 0 where everything accepted was answered
/// with its result, 1 where the second signal or a client that would not read cost some of it.
asio::awaitable<int> end_on_signal(service& owner, listener& door, asio::signal_set& signals);

}  // namespace press
