// A program that works until it is told to end. Driven by signals.py.
//
// Usage: until_signal quick|obedient|thrower|stuck|endless|full|two LAME_DUCK_MS DRAIN_MS CANCEL_MS
//   quick     twenty jobs that end by themselves once the pool drains
//   obedient  a job that ends when it is asked to, and twenty behind it
//   thrower   a job that throws when it is asked to stop, and twenty behind it
//   stuck     a job that never ends, and twenty behind it
//   endless   such a job on each of three workers, and main() returns
//   full      as obedient, in a pool with no room left
//   two       as obedient, with a second pool that waits for the same signals
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <fmt/core.h>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <brigade/brigade.hpp>

[[noreturn]] static void never_end() {
  for (;;) std::this_thread::yield();
}

/// The end has begun before there were jobs. Not by way of destructors: `home` has to outlive the
/// completion that is still to come.
[[noreturn]] static void end_too_early() { std::_Exit(65); }

int main(int argc, char** argv) {
  if (argc != 5) return 64;
  std::string_view const kind = argv[1];
  auto const milliseconds = [argv](int at) {
    return std::chrono::milliseconds{std::atoi(argv[at])};
  };
  brigade::signal_options options{.lame_duck = milliseconds(2),
                                  .drain = milliseconds(3),
                                  .cancel = milliseconds(4),
                                  .dump_on = SIGUSR1};
  unsigned const workers = kind == "endless" ? 3 : 1;
  std::size_t const capacity = kind == "full" ? 21 : 64;

  boost::asio::io_context home;
  brigade::worker_pool pool{{.threads = workers,
                             .capacity = capacity,
                             .name = "until",
                             .on_job_error = [](std::exception_ptr) {},
                             .stuck_after = std::chrono::milliseconds{kind == "endless" ? 1 : 0}}};
  brigade::shutdown_report report;
  options.on_phase = [](brigade::pool_state phase) {
    fmt::print("{}\n", to_string(phase));
    std::fflush(stdout);
  };
  async_run_until_signal(
      pool, options,
      boost::asio::bind_executor(home, [&](auto, auto const& how) { report = how; }));
  std::optional<brigade::worker_pool> second;
  int second_status = 0;
  if (kind == "two") {
    second.emplace(brigade::pool_options{.threads = 1});
    options.on_phase = nullptr;
    options.dump_on.reset();
    async_run_until_signal(*second, options,
                           boost::asio::bind_executor(home, [&](auto, auto const& how) {
                             second_status = how.signal == 0 ? 66 : how.exit_code();
                           }));
  }

  std::atomic<unsigned> started{0};
  auto const first = [&](std::stop_token const& asked) {
    started.fetch_add(1);
    if (kind == "endless") never_end();
    for (;;) {
      if (kind == "quick" && pool.state() >= brigade::pool_state::draining) return;
      bool const heeds = kind == "obedient" || kind == "thrower" || kind == "full" || kind == "two";
      if (heeds && asked.stop_requested()) {
        if (kind == "thrower") throw std::runtime_error("asked to stop");
        return;
      }
      std::this_thread::yield();
    }
  };
  for (unsigned i = 0; i != workers; ++i) pool.async_submit(first, [](std::exception_ptr) {});
  while (started != workers) {
    if (pool.metrics().rejected.total() != 0) end_too_early();
    std::this_thread::yield();
  }
  for (int i = 0; i != 20; ++i) {
    if (pool.try_post([] {})) end_too_early();
  }
  if (kind == "full" && pool.try_post([] {}) != brigade::errc::queue_full) return 67;
  fmt::print("ready\n");
  std::fflush(stdout);

  home.run();
  pool.join();
  fmt::print("{:l}\n", report);
  std::fflush(stdout);
  if (kind == "endless") return report.exit_code();  // its jobs use nothing any more
  // Not by way of destructors: a job that was abandoned may still use what they destroy.
  std::_Exit(second_status != 0 ? second_status : report.exit_code());
}
