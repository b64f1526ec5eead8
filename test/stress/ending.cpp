// Every way to end a pool, raced against the others and against those who use it.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <barrier>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::error_code;
using namespace std::chrono_literals;

namespace {

constexpr int rounds = 60;
constexpr int jobs_each = 60;

/// What was promised to handlers, and what they were told.
struct account {
  std::atomic<std::uint64_t> promised{0};
  std::atomic<std::uint64_t> told{0};
  [[nodiscard]] bool settled() const { return promised == told; }
};

void submit(brigade::worker_pool& pool, std::shared_ptr<account> const& sums, int kind) {
  auto const tell = [sums](auto&&...) { sums->told.fetch_add(1); };
  if (kind == 4) return static_cast<void>(pool.try_post([] {}));
  sums->promised.fetch_add(1);
  if (kind == 0) return pool.async_submit([] {}, tell);
  if (kind == 1) {
    auto const obedient = [](std::stop_token const& asked) { return asked.stop_requested(); };
    return pool.async_submit(obedient, tell);
  }
  if (kind == 2) {
    auto const coroutine = []() -> asio::awaitable<void> {
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    };
    return pool.async_submit(coroutine, tell);
  }
  asio::cancellation_signal signal;
  pool.async_submit([] {}, asio::bind_cancellation_slot(signal.slot(), tell));
  signal.emit(asio::cancellation_type::terminal);
}

void end(brigade::worker_pool& pool, std::shared_ptr<account> const& sums, int how) {
  auto const tell = [sums](auto&&...) { sums->told.fetch_add(1); };
  switch (how % 7) {
    case 0: pool.close(); break;
    case 1: pool.stop(); break;
    case 2: pool.join(); break;
    case 3:
      sums->promised.fetch_add(1);
      pool.async_drain(tell);
      break;
    case 4:
      sums->promised.fetch_add(1);
      pool.async_shutdown({.lame_duck = 1ms, .drain = 1ms, .cancel = 24h}, tell);
      break;
    case 5: {
      sums->promised.fetch_add(1);
      asio::cancellation_signal signal;
      pool.async_shutdown({.drain = 24h}, asio::bind_cancellation_slot(signal.slot(), tell));
      signal.emit(asio::cancellation_type::terminal);
      break;
    }
    default:
      sums->promised.fetch_add(1);
      async_shutdown_all({pool}, brigade::shutdown_order::one_after_another, {.drain = 1ms}, tell);
  }
}

/// The threads begin at the same moment; the pool is destroyed when they are through.
void race(std::mt19937& random, bool on_host) {
  auto const sums = std::make_shared<account>();
  asio::io_context host;
  auto guard = asio::make_work_guard(host);
  std::vector<std::jthread> hosts;
  if (on_host) hosts.emplace_back([&] { host.run(); });
  std::optional<brigade::worker_pool> pool;
  brigade::pool_options const options{
      .threads = 2, .capacity = 32, .stuck_after = 1ms, .on_stuck_job = [](auto const&) {}};
  if (on_host) {
    pool.emplace(host.get_executor(), options);
  } else {
    pool.emplace(options);
  }
  std::barrier start{6};
  std::vector<std::jthread> threads;
  for (int submitter = 0; submitter != 3; ++submitter) {
    threads.emplace_back([&, seed = random()] {
      std::mt19937 own{seed};
      start.arrive_and_wait();
      for (int i = 0; i != jobs_each; ++i) submit(*pool, sums, static_cast<int>(own() % 5));
    });
  }
  for (int ender = 0; ender != 2; ++ender) {
    threads.emplace_back(
        [&, first = static_cast<int>(random() % 7), second = static_cast<int>(random() % 7)] {
          start.arrive_and_wait();
          end(*pool, sums, first);
          end(*pool, sums, second);
        });
  }
  threads.emplace_back([&] {
    start.arrive_and_wait();
    for (int i = 0; i != 20; ++i) {
      auto const now = pool->dump();
      auto const& m = now.metrics;
      if (m.admitted != m.completed + m.failed + m.cancelled + m.queued_jobs + m.running_jobs) {
        sums->promised.fetch_add(1'000'000);  // fails the round
      }
    }
  });
  threads.clear();
  pool.reset();
  CHECK(test::wait_until([&] { return sums->settled(); }));
  guard.reset();
}

}  // namespace

TEST_CASE("every way to end a pool, all at once, and nobody goes untold", "[stress][ending]") {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  for (int round = 0; round != rounds; ++round) race(random, false);
  for (int round = 0; round != rounds / 4; ++round) race(random, true);
}

TEST_CASE("a pool that is destroyed by its own jobs and handlers while others end it",
          "[stress][ending]") {
  for (int round = 0; round != rounds; ++round) {
    auto const sums = std::make_shared<account>();
    auto pool =
        std::make_shared<brigade::worker_pool>(brigade::pool_options{.threads = 2, .capacity = 32});
    // Each holds the pool; who ends last destroys it, in a job or in a handler.
    for (int i = 0; i != 8; ++i) {
      sums->promised.fetch_add(1);
      pool->async_submit([pool] {}, [sums, pool](std::exception_ptr) { sums->told.fetch_add(1); });
    }
    sums->promised.fetch_add(1);
    pool->async_shutdown({.drain = 1ms},
                         [sums, pool](error_code, auto const&) { sums->told.fetch_add(1); });
    std::jthread const stopper([pool] { pool->stop(); });
    pool.reset();
    CHECK(test::wait_until([&] { return sums->settled(); }));
  }
}

TEST_CASE("jobs are given up while others of them end", "[stress][ending]") {
  for (int round = 0; round != rounds; ++round) {
    auto const sums = std::make_shared<account>();
    auto const go = std::make_shared<std::atomic<bool>>(false);
    {
      brigade::worker_pool pool{{.threads = 3, .capacity = 64}};
      for (int i = 0; i != 40; ++i) {
        sums->promised.fetch_add(1);
        pool.async_submit([go] { go->wait(false); },
                          [sums](std::exception_ptr) { sums->told.fetch_add(1); });
      }
      auto const ended = pool.async_shutdown({.drain = 0ms, .cancel = 1ms}, asio::use_future);
      std::jthread const opener([go] {
        *go = true;
        go->notify_all();
      });
      std::jthread const joiner([&pool] { pool.join(); });
      ended.wait();
    }
    CHECK(test::wait_until([&] { return sums->settled(); }));
  }
}
