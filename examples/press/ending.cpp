// SPDX-License-Identifier: BSL-1.0
#include "ending.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <brigade/signals.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "limits.hpp"

namespace press {
namespace {

using brigade::pool_state;
using clock = std::chrono::steady_clock;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

/// The lame duck's time, and the grace for uploads behind it. The pool admits all the while; when
/// it is closed here its shutdown goes on to the drain.
asio::awaitable<void> leave(service& owner, asio::steady_timer& lame_duck) {
  owner.enter(phase::leaving);
  if (owner.settings.lame_duck.count() != 0) {
    lame_duck.expires_after(owner.settings.lame_duck);
    co_await lame_duck.async_wait(use_tuple);
  }
  owner.enter(phase::refusing);  // before the uploads are counted: no request slips in between
  co_await owner.uploads.wait_for_none(clock::now() + owner.settings.grace);
  owner.enter(phase::cutting_uploads);
  owner.pool.close();
}

/// The pool's shutdown has come so far.
void follow(service& owner, asio::steady_timer& lame_duck, pool_state reached) {
  if (reached == pool_state::lame_duck) {
    asio::co_spawn(owner.control, leave(owner, lame_duck), asio::detached);
  } else {
    owner.enter(phase::cutting_uploads);
  }
  if (reached == pool_state::cancelling) fmt::print(stderr, "press: giving up what waits\n");
}

/// Waits for the connections to finish, at last with force. How many had to be cut off.
asio::awaitable<std::size_t> close_connections(service& owner) {
  co_await owner.connections.wait_for_none(clock::now() + last_call);
  owner.enter(phase::closing);
  // A client that does not read at all is dropped after --write-timeout; one that reads a little
  // now and then is dropped here.
  auto const patience = clock::now() + owner.settings.write_timeout + short_linger;
  auto const all_done = co_await owner.connections.wait_for_none(patience);
  if (all_done) co_return 0;
  auto const cut_off = owner.connections.count();
  owner.enter(phase::aborting);
  co_await owner.connections.wait_for_none(clock::now() + short_linger);
  co_return cut_off;
}

void print_report(service& owner, brigade::shutdown_report const& report, std::size_t cut_off,
                  clock::duration elapsed) {
  fmt::print(
      "press ended: signal={} completed={} failed={} cancelled={} abandoned={} rejected={} "
      "answered={} cut_off={} elapsed={:.3f}s\n",
      report.signal == SIGINT ? "SIGINT" : "SIGTERM", report.completed, report.failed,
      report.cancelled, report.abandoned, owner.pool.metrics().rejected.total(),
      owner.http.answered(), cut_off, std::chrono::duration<double>(elapsed).count());
  for (auto const& job : report.abandoned_jobs) {
    fmt::print(stderr, "press: abandoned: {}\n", job);
  }
  std::fflush(stdout);
}

}  // namespace

asio::awaitable<int> end_on_signal(service& owner, listener& door, asio::signal_set& signals) {
  auto const& times = owner.settings;
  brigade::signal_options options{.lame_duck = times.lame_duck + times.grace,
                                  .drain = times.drain,
                                  .cancel = times.cancel,
                                  .dump_on = SIGUSR1};
  asio::steady_timer lame_duck{owner.control};
  options.on_phase = [&owner, &lame_duck](pool_state reached) {
    asio::post(owner.control, [&owner, &lame_duck, reached] { follow(owner, lame_duck, reached); });
  };
  auto ended = co_await async_run_until_signal(owner.pool, signals, std::move(options), use_tuple);
  auto const& report = std::get<1>(ended);
  auto const pool_ended = clock::now();
  lame_duck.cancel();
  if (report.abandoned != 0) owner.enter(phase::giving_up);
  door.stop();
  auto const cut_off = co_await close_connections(owner);

  print_report(owner, report, cut_off, clock::now() - pool_ended + report.elapsed);
  // A connection that is not gone by now waits for a job that does not come back.
  if (owner.connections.count() != 0) std::_Exit(1);
  co_return owner.given_up == 0 && report.abandoned == 0 && cut_off == 0 ? 0 : 1;
}

}  // namespace press
