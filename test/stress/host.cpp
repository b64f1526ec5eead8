// Host mode: the pool's life and the host's, in either order.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;

TEST_CASE("a host that is destroyed with jobs in every stage loses none silently",
          "[stress][host]") {
  for (int round = 0; round != 200; ++round) {
    std::atomic<int> told{0};
    std::atomic<int> lost{0};
    auto host = std::make_unique<asio::io_context>();
    asio::io_context elsewhere;
    brigade::worker_pool pool{host->get_executor(),
                              {.threads = 2,
                               .capacity = 64,
                               .on_handler_error = [&](std::exception_ptr) { lost.fetch_add(1); }}};
    for (int i = 0; i != 10; ++i) {
      pool.async_submit(
          [] {}, asio::bind_executor(elsewhere, [&](std::exception_ptr) { told.fetch_add(1); }));
    }
    auto sleeper = []() -> asio::awaitable<void> {
      asio::steady_timer never(co_await asio::this_coro::executor,
                               asio::steady_timer::time_point::max());
      co_await never.async_wait(asio::use_awaitable);
    };
    for (int i = 0; i != 5; ++i) {
      pool.async_submit(
          sleeper, asio::bind_executor(elsewhere, [&](std::exception_ptr) { told.fetch_add(1); }));
    }
    if (round % 3 != 0) host->poll_one();
    if (round % 3 == 2) host->poll();
    for (int i = 0; i != 3; ++i) pool.async_submit([] {}, [&](std::exception_ptr) {});
    host.reset();
    elsewhere.run();
    CHECK(told == 15);
    CHECK(lost == 3);
    CHECK(pool.try_post([] {}) == brigade::errc::closed);
    CHECK(pool.state() == brigade::pool_state::stopped);
  }
}

TEST_CASE("a host with several threads never runs more jobs at once than the pool has workers",
          "[stress][host]") {
  asio::io_context host;
  brigade::worker_pool pool{host.get_executor(), {.threads = 2, .capacity = 1000}};
  auto work = asio::make_work_guard(host);
  std::vector<std::thread> threads;
  for (int i = 0; i != 4; ++i) threads.emplace_back([&] { host.run(); });
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  for (int i = 0; i != 20'000; ++i) {
    while (pool.try_post([&] {
      auto const now = inside.fetch_add(1) + 1;
      auto seen = most.load();
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      inside.fetch_sub(1);
    })) {
      std::this_thread::yield();
    }
  }
  pool.join();
  CHECK(pool.metrics().completed == 20'000);
  CHECK(most <= 2);
  work.reset();
  for (auto& thread : threads) thread.join();
}

TEST_CASE("a pool destroyed before its host leaves every handler told", "[stress][host]") {
  for (int round = 0; round != 200; ++round) {
    asio::io_context host;
    std::atomic<int> told{0};
    std::thread runner;
    {
      brigade::worker_pool pool{host.get_executor(), {.threads = 2, .capacity = 64}};
      for (int i = 0; i != 20; ++i) {
        pool.async_submit([] {}, [&](std::exception_ptr) { told.fetch_add(1); });
      }
      if (round % 2 == 0) runner = std::thread([&] { host.run(); });
    }
    if (!runner.joinable()) runner = std::thread([&] { host.run(); });
    runner.join();
    REQUIRE(told == 20);
  }
}

TEST_CASE("a host runs until the handlers of jobs cancelled from outside are told",
          "[stress][host]") {
  constexpr int jobs = 16;
  for (int round = 0; round != 200; ++round) {
    asio::io_context host;
    brigade::worker_pool pool{host.get_executor(), {.threads = 2, .capacity = jobs}};
    std::vector<asio::cancellation_signal> signals(jobs);
    std::atomic<int> told{0};
    for (auto& signal : signals) {
      pool.async_submit([] {}, asio::bind_cancellation_slot(
                                   signal.slot(), [&](std::exception_ptr) { told.fetch_add(1); }));
    }
    std::thread runner([&] { host.run(); });
    for (auto& signal : signals) signal.emit(asio::cancellation_type::terminal);
    runner.join();
    REQUIRE(told == jobs);
  }
}
