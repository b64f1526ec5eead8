// 9. Signals: SIGTERM ends the program in order: what was accepted is done, and then it exits.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <latch>

namespace asio = boost::asio;

int main() {
  std::latch ending{1};
  brigade::worker_pool pool{{.threads = 2, .capacity = 64, .name = "signals"}};

  // The first signal closes the pool and lets it drain; a second one would cancel what is queued, a
  // third one kill the program.
  auto const on_phase = [&](brigade::pool_state phase) {
    fmt::print("{}\n", brigade::to_string(phase));
    if (phase == brigade::pool_state::draining) ending.count_down();
  };
  // Bound to `home`, the handler keeps home.run() from returning before it has been called.
  asio::io_context home;
  int status = 1;
  auto const on_end = [&](boost::system::error_code, brigade::shutdown_report const& report) {
    fmt::print("signal {}: {} jobs done, {} cancelled\n", report.signal, report.completed,
               report.cancelled);
    status = report.exit_code();
  };
  async_run_until_signal(pool, {.signals = {SIGINT, SIGTERM}, .on_phase = on_phase},
                         asio::bind_executor(home, on_end));

  // Twenty jobs that take until the end has begun.
  for (int i = 0; i != 20; ++i) {
    if (pool.try_post([&] { ending.wait(); })) return 1;
  }

  // A real program waits here for somebody to send the signal; this one sends it to itself.
  std::raise(SIGTERM);
  home.run();
  return status;
}

// Output:
//   draining
//   stopped
//   signal 15: 20 jobs done, 0 cancelled
