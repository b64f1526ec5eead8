// 12. Waiting: a full pool slows its submitters down instead of refusing them.
//
// The line is first come, first served; it has a bound, and each who stands in it may have a
// deadline. A coroutine that waits holds no thread.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <latch>

namespace asio = boost::asio;
using namespace std::chrono_literals;

// One of several that feed the same pool, and none of them too fast.
asio::awaitable<void> feed(brigade::worker_pool& pool, int from, int to, int& sum) {
  brigade::submit_options const terms{.when_full = brigade::overflow::wait};
  for (int i = from; i != to; ++i) {
    auto const square = [i] { return i * i; };
    int const one = co_await pool.async_submit(square, terms, asio::use_awaitable);
    sum += one;  // all coroutines run on the thread that runs the io_context
  }
}

// Waits for a place, but not for ever.
asio::awaitable<void> hurry(brigade::worker_pool& pool) {
  brigade::submit_options const terms{.when_full = brigade::overflow::wait,
                                      .start_by = brigade::clock::now() + 10ms};
  auto const answer = co_await pool.async_submit([] {}, terms, asio::as_tuple(asio::use_awaitable));
  auto const why = brigade::to_error_code(std::get<0>(answer));
  fmt::print("no place in 10 ms: {}\n", why == brigade::errc::expired);
}

int main() {
  asio::io_context context;
  brigade::worker_pool pool{{.threads = 1, .capacity = 2, .max_waiting = 10}};

  int sum = 0;
  for (int f = 0; f != 8; ++f) {
    asio::co_spawn(context, feed(pool, f * 100, f * 100 + 100, sum), asio::detached);
  }
  context.run();
  auto const now = pool.metrics();
  fmt::print("0² + ... + 799² = {}, jobs: {}, refused: {}\n", sum, now.completed,
             now.rejected.total());

  std::latch gate{1};
  auto const wait_at_gate = [&gate] { gate.wait(); };
  if (pool.try_post(wait_at_gate) || pool.try_post(wait_at_gate)) return 1;
  context.restart();
  asio::co_spawn(context, hurry(pool), asio::detached);
  context.run();
  gate.count_down();
  pool.join();
}

// Output:
//   0² + ... + 799² = 170346800, jobs: 800, refused: 0
//   no place in 10 ms: true
