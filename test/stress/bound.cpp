// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <thread>
#include <vector>

#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

TEST_CASE("no interleaving of submitters and workers passes the bound", "[stress][bound]") {
  auto const capacity = GENERATE(as<std::size_t>{}, 1, 2, 7, 64);
  constexpr int submitters = 4;
  constexpr int jobs_each = 20'000;

  brigade::worker_pool pool{{.threads = 3, .capacity = capacity}};
  std::atomic<std::size_t> highest{0};
  std::atomic<int> ran{0};

  std::vector<std::thread> threads;
  for (int s = 0; s != submitters; ++s) {
    threads.emplace_back([&] {
      for (int i = 0; i != jobs_each;) {
        auto const refused = pool.try_post([&] { ran.fetch_add(1, std::memory_order_relaxed); });
        if (!refused) {
          ++i;
          continue;
        }
        auto const now = pool.metrics();
        auto const flying = now.queued_jobs + now.running_jobs;
        auto seen = highest.load();
        while (seen < flying && !highest.compare_exchange_weak(seen, flying)) {
        }
        std::this_thread::yield();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  pool.join();
  CHECK(ran == submitters * jobs_each);
  CHECK(highest <= capacity);
  auto const end = pool.metrics();
  CHECK(end.admitted == submitters * jobs_each);
  CHECK(end.completed == end.admitted);
}

TEST_CASE("jobs that hold their slot are never more than the capacity", "[stress][bound]") {
  // Every job stays in flight until its handler has been called, so the test counts exactly what
  // the pool must bound, without asking the pool.
  constexpr std::size_t capacity = 5;
  brigade::worker_pool pool{{.threads = 4, .capacity = capacity}};
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int s = 0; s != 4; ++s) {
    threads.emplace_back([&] {
      for (int i = 0; i != 10'000; ++i) {
        if (pool.try_post([&] {
              auto const now = inside.fetch_add(1) + 1;
              auto seen = most.load();
              while (seen < now && !most.compare_exchange_weak(seen, now)) {
              }
              inside.fetch_sub(1);
            })) {
          std::this_thread::yield();
        } else {
          admitted.fetch_add(1);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  pool.join();
  CHECK(most <= 4);  // never more jobs at once than workers
  CHECK(pool.metrics().completed == static_cast<std::uint64_t>(admitted.load()));
}

TEST_CASE("a slot that a handler tells of is free, on many threads at once", "[stress][bound]") {
  // As many chains as slots: each handler submits the next job of its chain, and must be admitted.
  constexpr std::size_t chains = 6;
  constexpr int links = 5'000;
  brigade::worker_pool pool{{.threads = 4, .capacity = chains}};
  std::atomic<int> refused{0};
  std::atomic<std::size_t> done{0};

  struct chain {
    brigade::worker_pool& pool;
    std::atomic<int>& refused;
    std::atomic<std::size_t>& done;
    int left;
    void next() {
      pool.async_submit([] {},
                        [this](std::exception_ptr failure) {
                          if (failure) refused.fetch_add(1);
                          if (failure || --left == 0) {
                            done.fetch_add(1);
                          } else {
                            next();
                          }
                        });
    }
  };
  std::vector<chain> all;
  for (std::size_t i = 0; i != chains; ++i) all.push_back({pool, refused, done, links});
  for (auto& one : all) one.next();
  REQUIRE(test::wait_until([&] { return done == chains; }));
  CHECK(refused == 0);
}
