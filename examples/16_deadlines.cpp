// 16. Deadlines: what nobody waits for any more is not begun.
//
// The job expires when the time comes, not when a worker looks: here the only worker is stuck.
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
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  std::latch gate{1};
  if (pool.try_post([&gate] { gate.wait(); })) return 1;

  auto const begun = brigade::clock::now();
  auto const told = [&](std::exception_ptr failure) {
    bool const expired = brigade::to_error_code(failure) == brigade::errc::expired;
    bool const in_time = brigade::clock::now() - begun < 10s;
    fmt::print("expired: {}, while the worker was busy: {}\n", expired, in_time);
  };
  // Bound to a context of its own, for on the pool's the handler would wait for the worker, too.
  pool.async_submit([] { fmt::print("never\n"); }, {.start_by = begun + 20ms},
                    asio::bind_executor(context, told));
  fmt::print("room for another: {}\n", pool.metrics().queued_jobs == 0);
  context.run();
  fmt::print("room for another: {}\n", pool.metrics().queued_jobs == 0);

  gate.count_down();
  pool.join();
  fmt::print("completed: {}, expired: {}\n", pool.metrics().completed, pool.metrics().expired);
}

// Output:
//   room for another: false
//   expired: true, while the worker was busy: true
//   room for another: true
//   completed: 1, expired: 1
