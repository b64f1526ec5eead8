// 1. Hello: a pool, some jobs, and the end of the pool.
//
// try_post() gives the pool a job and says at once whether it was admitted. It never blocks: where
// Asio's own post() would let the queue grow, this one says no.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <atomic>

int main() {
  // Jobs use this from the pool's threads, so it is declared before the pool and outlives it.
  std::atomic<int> greetings = 0;

  // Two workers, and at most sixteen jobs that are queued or running.
  brigade::worker_pool pool{{.threads = 2, .capacity = 16, .name = "hello"}};

  for (int i = 0; i != 8; ++i) {
    // The verdict is an error code: none, or why the job was refused. It must be looked at.
    if (auto const verdict = pool.try_post([&greetings] { ++greetings; })) {
      fmt::print("refused: {}\n", verdict.message());
    }
  }

  // Ends admission, runs all that was accepted, and ends the threads.
  pool.join();
  fmt::print("{} jobs have greeted\n", greetings.load());

  // A pool that has ended refuses, too. The verdict is compared with the reasons in errc.
  auto const verdict = pool.try_post([] {});
  fmt::print("one more is refused because the pool is closed: {}\n",
             verdict == brigade::errc::closed);

  // Every admitted job has exactly one outcome, and the pool counts them.
  auto const seen = pool.metrics();
  fmt::print("admitted {}, completed {}, refused {}, state {}\n", seen.admitted, seen.completed,
             seen.rejected.total(), brigade::to_string(seen.state));
}

// Output:
//   8 jobs have greeted
//   one more is refused because the pool is closed: true
//   admitted 8, completed 8, refused 1, state stopped
