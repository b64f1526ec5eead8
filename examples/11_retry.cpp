// 11. Retries: a job that was refused tries again after a random pause, a few times, and no thread
// waits meanwhile.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <latch>

namespace asio = boost::asio;
using namespace std::chrono_literals;

int main() {
  asio::io_context context;
  std::latch may_end{1};
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .name = "retry"}};

  if (pool.try_post([&] { may_end.wait(); })) return 1;  // the one slot is taken

  // Gives up after three tries, and says why the last one failed.
  brigade::backoff_policy const hasty{.first = 1ms, .most = 4ms, .tries = 3};
  auto const on_refused = [](std::exception_ptr failure, int) {
    fmt::print("the hasty one: {}\n", brigade::to_error_code(failure).message());
  };
  brigade::async_retry(
      pool, hasty, [] { return 1; }, asio::bind_executor(context, on_refused));
  context.run();

  // Tries for longer; there is a slot in the end.
  brigade::backoff_policy const patient{.first = 1ms, .most = 50ms, .tries = 1'000};
  auto const on_result = [](std::exception_ptr, int result) {
    fmt::print("the patient one: {}\n", result);
  };
  brigade::async_retry(
      pool, patient, [] { return 42; }, asio::bind_executor(context, on_result));
  may_end.count_down();
  context.restart();
  context.run();

  pool.join();
  auto const seen = pool.metrics();
  fmt::print("admitted {}, rejected {}\n", seen.admitted, seen.rejected.total());
}

// Output:
//   the hasty one: the pool is full: as many jobs are in flight as it may hold
//   the patient one: 42
//   admitted 2, rejected 1
