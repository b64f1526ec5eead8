// 7. Host mode: the bound without the threads.
//
// A program that has an io_context and threads to run it may want no more threads. Then the pool
// works on those: it admits, bounds and counts as ever, and runs at most `threads` jobs at once on
// whatever threads run the host.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <thread>
#include <vector>

namespace asio = boost::asio;

int main() {
  asio::io_context host;
  brigade::worker_pool pool{host.get_executor(), {.threads = 1, .capacity = 8, .name = "guest"}};

  std::atomic<int> at_once = 0;
  std::atomic<int> most_at_once = 0;
  auto const job = [&] {
    most_at_once = std::max(most_at_once.load(), ++at_once);
    --at_once;
  };

  // Nobody runs the host yet: the jobs wait in the pool, not in the host's queue, and the ninth is
  // one too many.
  int refused = 0;
  for (int i = 0; i != 9; ++i) {
    if (pool.try_post(job)) ++refused;
  }
  fmt::print("queued {}, refused {}\n", pool.metrics().queued_jobs, refused);

  // The host's other handlers get their turn as well: the pool gives the thread back after a batch
  // of jobs (pool_options::turn_jobs) or some time (turn_time).
  asio::post(host, [] { fmt::print("a handler of the host's own\n"); });

  // The host ends when it has nothing left to do. A pool without jobs is nothing to do.
  std::vector<std::jthread> threads;
  for (int i = 0; i != 3; ++i) threads.emplace_back([&host] { host.run(); });
  threads.clear();  // joins

  auto const seen = pool.metrics();
  fmt::print("completed {} on 3 threads, at most {} at once\n", seen.completed,
             most_at_once.load());
}

// Output:
//   queued 8, refused 1
//   a handler of the host's own
//   completed 8 on 3 threads, at most 1 at once
