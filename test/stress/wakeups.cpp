// A lost wake-up shows as a job that nobody runs: these wait for every single one.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <thread>
#include <vector>

#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

TEST_CASE("every job of a ping-pong is run, however the worker falls asleep", "[stress][wakeups]") {
  auto const threads = GENERATE(as<unsigned>{}, 1, 2, 4);
  auto const linger = GENERATE(0, 1, 50);
  brigade::worker_pool pool{
      {.threads = threads, .capacity = 16, .linger = std::chrono::microseconds{linger}}};
  std::atomic<int> answered{0};
  for (int i = 1; i <= 5'000; ++i) {
    REQUIRE_FALSE(pool.try_post([&answered, i] { answered.store(i); }));
    REQUIRE(test::wait_until([&] { return answered.load() == i; }));
  }
}

TEST_CASE("a job is run while all others are stuck, as long as one worker is free",
          "[stress][wakeups]") {
  // The stuck jobs wait for the last one: if it were left to a worker that is stuck, or if nobody
  // were woken for it, the round would never end.
  constexpr unsigned workers = 4;
  brigade::worker_pool pool{{.threads = workers, .capacity = 16}};
  for (int round = 0; round != 2'000; ++round) {
    std::atomic<bool> go{false};
    std::atomic<unsigned> ended{0};
    for (unsigned i = 0; i + 1 != workers; ++i) {
      REQUIRE_FALSE(pool.try_post([&] {
        go.wait(false);
        ended.fetch_add(1);
      }));
    }
    REQUIRE_FALSE(pool.try_post([&] {
      go.store(true);
      go.notify_all();
      ended.fetch_add(1);
    }));
    REQUIRE(test::wait_until([&] { return ended.load() == workers; }));
  }
}

TEST_CASE("bursts from several threads all get done", "[stress][wakeups]") {
  brigade::worker_pool pool{{.threads = 3, .capacity = 64, .turn_jobs = 7}};
  for (int round = 0; round != 300; ++round) {
    std::atomic<int> ran{0};
    std::vector<std::thread> submitters;
    for (int s = 0; s != 3; ++s) {
      submitters.emplace_back([&] {
        for (int i = 0; i != 20; ++i) {
          while (pool.try_post([&ran] { ran.fetch_add(1); })) std::this_thread::yield();
        }
      });
    }
    for (auto& thread : submitters) thread.join();
    REQUIRE(test::wait_until([&] { return ran.load() == 60; }));
  }
}
