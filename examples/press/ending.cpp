// SPDX-License-Identifier: BSL-1.0
#include "ending.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>

#include "limits.hpp"

namespace press {
namespace {

using clock = std::chrono::steady_clock;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

asio::awaitable<void> hurry_on_signal(service& owner, asio::signal_set& signals) {
  auto const second = co_await signals.async_wait(use_tuple);
  if (std::get<0>(second)) co_return;  // the end came first
  fmt::print(stderr, "press: second signal: giving up what waits\n");
  owner.enter(phase::cutting_uploads);
  owner.pool.stop();
  signals.clear();  // gives the signals their default effect back
}

/// Waits for the connections to finish, at last with force. How many had to be cut off.
asio::awaitable<std::size_t> close_connections(service& owner, clock::time_point begun) {
  co_await owner.connections.wait_for_none(begun + last_call);
  owner.enter(phase::closing);
  // A client that does not read at all is dropped after --write-timeout; one that reads a little
  // now and then is dropped here.
  auto const patience = clock::now() + owner.settings.write_timeout + short_linger;
  auto const all_done = co_await owner.connections.wait_for_none(patience);
  if (all_done) co_return 0;
  auto const cut_off = owner.connections.count();
  owner.enter(phase::aborting);
  co_await owner.connections.wait_for_none(clock::time_point::max());
  co_return cut_off;
}

void print_report(service& owner, int signal, std::size_t cut_off, clock::duration elapsed) {
  auto const pool = owner.pool.metrics();
  fmt::print(
      "press ended: signal={} completed={} failed={} cancelled={} rejected={} answered={} "
      "cut_off={} elapsed={:.3f}s\n",
      signal == SIGINT ? "SIGINT" : "SIGTERM", pool.completed, pool.failed, pool.cancelled,
      pool.rejected.total(), owner.http.answered(), cut_off,
      std::chrono::duration<double>(elapsed).count());
  std::fflush(stdout);
}

}  // namespace

asio::awaitable<int> end_on_signal(service& owner, listener& door, asio::signal_set& signals) {
  auto const first = co_await signals.async_wait(use_tuple);
  auto const begun = clock::now();
  owner.enter(phase::refusing);  // before the uploads are counted: no request slips in between
  door.stop();
  asio::co_spawn(owner.control, hurry_on_signal(owner, signals), asio::detached);

  co_await owner.uploads.wait_for_none(begun + owner.settings.grace);
  owner.enter(phase::cutting_uploads);
  co_await owner.pool.async_drain(use_tuple);
  auto const cut_off = co_await close_connections(owner, begun);

  signals.cancel();
  print_report(owner, std::get<1>(first), cut_off, clock::now() - begun);
  co_return owner.given_up == 0 && cut_off == 0 ? 0 : 1;
}

}  // namespace press
