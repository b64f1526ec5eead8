// The page with live plots, and /metrics, for a pool that has something to do.
//
//   page [PORT]      then open the address that it prints; ends on Ctrl-C
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>
#include <brigade/http.hpp>

#include <fmt/core.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <thread>

namespace asio = boost::asio;

namespace {

/// Offers jobs that take up to 40 ms, now more and now fewer than two workers can do.
void offer_jobs(brigade::worker_pool& pool, asio::steady_timer& pace, std::mt19937& dice) {
  auto const some = std::uniform_int_distribution<int>{0, 12}(dice);
  for (int i = 0; i < some; ++i) {
    std::chrono::milliseconds const work{std::uniform_int_distribution<int>{1, 40}(dice)};
    // A real program would tell whoever asked for the job that it was refused.
    [[maybe_unused]] auto const refused =
        pool.try_post([work] { std::this_thread::sleep_for(work); });
  }
  pace.expires_after(std::chrono::milliseconds{60});
  pace.async_wait([&](boost::system::error_code cancelled) {
    if (!cancelled) offer_jobs(pool, pace, dice);
  });
}

int run(unsigned short port) {
  brigade::worker_pool pool{{.threads = 2, .capacity = 32, .name = "example"}};
  brigade::http_server server{{.port = port, .title = "brigade example"}};
  server.add(pool);
  fmt::print("the page is at {}\n", server.url());
  std::fflush(stdout);

  asio::io_context home;
  asio::steady_timer pace{home};
  std::mt19937 dice{1};
  offer_jobs(pool, pace, dice);
  int status = 1;
  auto const on_end = [&](boost::system::error_code, brigade::shutdown_report const& report) {
    fmt::print("{}\n", report);
    status = report.exit_code();
    pace.cancel();
  };
  async_run_until_signal(pool, {}, asio::bind_executor(home, on_end));
  home.run();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(static_cast<unsigned short>(argc > 1 ? std::atoi(argv[1]) : 0));
  } catch (std::exception const& error) {
    fmt::print(stderr, "page: {}\n", error.what());
    return 1;
  }
}
