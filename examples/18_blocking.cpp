// 18. Blocking: a plain thread that may wait for room, and a job that waits for another one.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <latch>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// Divides its work and waits for the other half. With future.get() instead of pool.wait() all
// workers would soon wait for jobs that no worker is left to run.
long long sum(brigade::worker_pool& pool, int from, int to) {
  if (to - from <= 10) {
    long long result = 0;
    for (int i = from; i != to; ++i) result += i;
    return result;
  }
  int const middle = from + (to - from) / 2;
  auto half = pool.async_submit([&pool, from, middle] { return sum(pool, from, middle); },
                                {.when_full = brigade::overflow::caller_runs}, asio::use_future);
  auto const other = sum(pool, middle, to);
  return pool.wait(std::move(half)).get() + other;
}

}  // namespace

int main() {
  brigade::worker_pool pool{{.threads = 2, .capacity = 16}};

  // A thread that reads a file, say: it gets ahead of the workers by 16 jobs at the most.
  std::atomic<int> lines = 0;
  for (int i = 0; i != 1000; ++i) {
    if (pool.post_for([&lines] { ++lines; }, 1min)) return 1;
  }

  // From a worker that would be waiting for itself, which is answered and not tried.
  auto const on_worker = [&pool] {
    return pool.running_in_this_thread() &&
           pool.post_for([] {}, 1min) == std::errc::resource_deadlock_would_occur;
  };
  fmt::print("refused on a worker: {}\n", pool.async_submit(on_worker, asio::use_future).get());

  auto total = pool.async_submit([&pool] { return sum(pool, 0, 1001); }, asio::use_future);
  fmt::print("0 + ... + 1000 = {}\n", total.get());

  pool.join();
  fmt::print("lines: {}\n", lines.load());
}

// Output:
//   refused on a worker: true
//   0 + ... + 1000 = 500500
//   lines: 1000
