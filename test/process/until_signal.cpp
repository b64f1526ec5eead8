// A program that works until it is told to end. Driven by signals.py.
//
// Usage: until_signal quick|obedient|stuck DRAIN_MS CANCEL_MS
//   quick     twenty jobs that end by themselves once the shutdown has begun
//   obedient  a job that ends when it is asked to, and twenty behind it
//   stuck     a job that never ends, and twenty behind it
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <fmt/core.h>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <brigade/brigade.hpp>

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  std::string_view const kind = argv[1];
  std::chrono::milliseconds const drain{std::atoi(argv[2])};
  std::chrono::milliseconds const cancel{std::atoi(argv[3])};

  boost::asio::io_context home;
  brigade::worker_pool pool{{.threads = 1, .capacity = 64}};
  brigade::shutdown_report report;
  auto const say = [](brigade::pool_state phase) {
    fmt::print("{}\n", to_string(phase));
    std::fflush(stdout);
  };
  async_run_until_signal(
      pool, {.drain = drain, .cancel = cancel, .on_phase = say},
      boost::asio::bind_executor(home, [&](auto, auto const& how) { report = how; }));

  auto const begun = [&pool] { return pool.state() != brigade::pool_state::running; };
  std::atomic<bool> started{false};
  auto const first = [&](std::stop_token const& asked) {
    started = true;
    started.notify_all();
    for (;;) {
      if (kind == "quick" && begun()) return;
      if (kind == "obedient" && asked.stop_requested()) return;
      std::this_thread::yield();
    }
  };
  pool.async_submit(first, [](std::exception_ptr) {});
  for (int i = 0; i != 20; ++i) {
    if (pool.try_post([] {})) return 65;
  }
  started.wait(false);
  fmt::print("ready\n");
  std::fflush(stdout);

  home.run();
  pool.join();
  fmt::print("{}\n", report);
  std::fflush(stdout);
  // Not by way of static destructors: a job that was abandoned may still use what they destroy.
  std::_Exit(report.exit_code());
}
