// 9. Signals: SIGTERM ends the program in order: what was accepted is done, and then it exits.
//
// The signal set has an io_context of its own, in the main thread. On the pool's executor it would
// wait behind the jobs, and the end would be late by as much as they take.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <atomic>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <latch>

namespace asio = boost::asio;

int main() {
  asio::io_context control;
  asio::signal_set signals{control, SIGINT, SIGTERM};  // from now on they kill nothing

  std::latch ending{1};
  std::atomic<int> done = 0;
  brigade::worker_pool pool{{.threads = 2, .capacity = 64, .name = "signals"}};

  int status = 1;
  auto const on_drained = [&](boost::system::error_code failure) {
    fmt::print("drained: {} jobs done, state {}\n", done.load(), brigade::to_string(pool.state()));
    status = failure ? 1 : 0;
  };
  signals.async_wait([&](boost::system::error_code failure, int signal) {
    if (failure) return;
    fmt::print("{}, with {} jobs in flight\n", signal == SIGTERM ? "SIGTERM" : "SIGINT",
               pool.metrics().queued_jobs + pool.metrics().running_jobs);
    // Closes the pool, and completes once nothing is in flight. Bound to `control`, the handler
    // keeps control.run() from returning before that.
    pool.async_drain(asio::bind_executor(control, on_drained));
    fmt::print("a new job is refused: {}\n", pool.try_post([] {}) == brigade::errc::closed);
    ending.count_down();
  });

  // Twenty jobs that take until the end has begun.
  for (int i = 0; i != 20; ++i) {
    auto const job = [&] {
      ending.wait();
      ++done;
    };
    if (pool.try_post(job)) return 1;
  }

  // A real program waits here for somebody to send the signal; this one sends it to itself.
  std::raise(SIGTERM);
  control.run();
  return status;
}

// Output:
//   SIGTERM, with 20 jobs in flight
//   a new job is refused: true
//   drained: 20 jobs done, state stopped
