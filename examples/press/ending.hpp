// press: serving until a signal comes, and the orderly end after it.
//
//   SIGINT, SIGTERM
//     first signal    lame duck: /readyz answers 503, requests are taken as ever for `--lame-duck`;
//                     then later requests are refused with 503, and bodies that are on their way
//                     have `--grace` to arrive; then the pool drains, for up to `--drain`; what
//                     waits by then is given up, with 503, and what is in work too after `--cancel`
//     second signal   what waits, or is on its way, is given up at once
//     third signal    has its default effect: the process dies of it
//   SIGUSR1           prints what the pool is doing
//
// The door stays open until the pool has ended, so that probes and scrapes are answered. Then idle
// connections are closed, and one line of report is printed.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/signal_set.hpp>

#include "listener.hpp"
#include "service.hpp"

namespace press {

/// Runs on `service.control`. Returns the exit status: 1 where a lack of time cost some of what was
/// accepted, else 0. What clients lose by going away, or by not reading, is not counted.
asio::awaitable<int> end_on_signal(service& owner, listener& door, asio::signal_set& signals);

}  // namespace press
