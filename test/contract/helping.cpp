// running_in_this_thread and wait(): a worker that waits for a job of its own pool.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <functional>
#include <future>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;

TEST_CASE("a thread knows whether it works for a pool", "[contract][helping]") {
  brigade::worker_pool pool{{.threads = 1}};
  brigade::worker_pool other{{.threads = 1}};
  CHECK_FALSE(pool.running_in_this_thread());
  CHECK(pool.async_submit([&] { return pool.running_in_this_thread(); }, asio::use_future).get());
  CHECK_FALSE(
      other.async_submit([&] { return pool.running_in_this_thread(); }, asio::use_future).get());
  std::promise<bool> in_handler;
  pool.async_submit(
      [] {}, [&](std::exception_ptr) { in_handler.set_value(pool.running_in_this_thread()); });
  CHECK(in_handler.get_future().get());
}

TEST_CASE("a job may wait for jobs of its own pool, to any depth", "[contract][helping]") {
  auto const threads = GENERATE(1U, 2U);
  brigade::worker_pool pool{{.threads = threads, .capacity = 256}};
  std::function<int(int)> sum = [&](int depth) -> int {
    if (depth == 0) return 1;
    auto left = pool.async_submit([&, depth] { return sum(depth - 1); }, asio::use_future);
    auto right = pool.async_submit([&, depth] { return sum(depth - 1); }, asio::use_future);
    return pool.wait(std::move(left)).get() + pool.wait(std::move(right)).get();
  };
  auto all = pool.async_submit([&] { return sum(6); }, asio::use_future);
  CHECK(pool.wait(std::move(all)).get() == 64);
  pool.join();
  auto const m = pool.metrics();
  CHECK(m.completed == 127);
  CHECK(m.admitted == 127);
}

TEST_CASE("a waiting worker lets coroutines of its pool go on", "[contract][helping]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto answer = pool.async_submit(
      [&] {
        auto const job = []() -> asio::awaitable<int> {
          for (int i = 0; i != 10; ++i) co_await asio::post(asio::use_awaitable);
          co_return 7;
        };
        auto inner = pool.async_submit(job, asio::use_future);
        pool.wait(inner);
        return inner.get();
      },
      asio::use_future);
  CHECK(answer.get() == 7);
}

TEST_CASE("what a waiting worker runs may throw", "[contract][helping]") {
  std::atomic<int> errors{0};
  brigade::worker_pool pool{{.threads = 1,
                             .on_job_error = [&](std::exception_ptr) { errors.fetch_add(1); },
                             .on_handler_error = [&](std::exception_ptr) { errors.fetch_add(1); }}};
  auto answer = pool.async_submit(
      [&] {
        std::promise<int> given;
        REQUIRE_FALSE(pool.try_post([] { throw 1; }));
        pool.async_submit([] {}, [](std::exception_ptr) { throw 2; });
        REQUIRE_FALSE(pool.try_post([&] { given.set_value(3); }));
        return pool.wait(given.get_future()).get();
      },
      asio::use_future);
  CHECK(answer.get() == 3);
  CHECK(errors == 2);
}

// The waiting job's thread runs the other worker's turn, since that one's thread is held up in a handler.
// When the turn ends the job goes on, and the other thread has to take the worker's next turn.
TEST_CASE("a turn that ends on a waiting job's thread goes on elsewhere", "[contract][helping]") {
  using namespace std::chrono_literals;
  std::atomic<bool> handler_on{false};
  std::atomic<bool> handler_may_end{false};
  std::atomic<bool> handler_ended{false};
  std::atomic<bool> waits{false};
  std::atomic<bool> waited{false};
  std::atomic<bool> may_end{false};
  std::atomic<int> first{0};
  std::atomic<bool> second_on{false};
  std::atomic<bool> second_may_end{false};
  std::atomic<int> others{0};
  std::promise<void> told;
  brigade::worker_pool pool{{.threads = 2, .linger = 60s, .turn_time = 20ms}};
  REQUIRE_FALSE(pool.try_post([&] {
    auto future = told.get_future();
    static_cast<void>(test::wait_until([&] { return handler_on.load(); }));
    waits = true;
    pool.wait(future);
    waited = true;
    static_cast<void>(test::wait_until([&] { return may_end.load(); }));
  }));
  asio::post(pool.get_executor(), [&] {
    handler_on = true;
    static_cast<void>(test::wait_until([&] { return handler_may_end.load(); }));
    handler_ended = true;
  });
  REQUIRE(test::wait_until([&] { return waits.load(); }));
  // One of them wakes the other worker; the next ones run in its turn.
  for (int i = 0; i != 50; ++i) {
    REQUIRE_FALSE(pool.try_post([&] { ++first; }));
    REQUIRE(test::wait_until([&] { return first > i; }));
  }
  REQUIRE_FALSE(pool.try_post([&] {
    auto const turn_is_over = std::chrono::steady_clock::now() + 30ms;
    second_on = true;
    static_cast<void>(test::wait_until(
        [&] { return second_may_end.load() && std::chrono::steady_clock::now() > turn_is_over; }));
    told.set_value();
  }));
  REQUIRE(test::wait_until([&] { return second_on.load(); }));
  for (int i = 0; i != 20; ++i) REQUIRE_FALSE(pool.try_post([&] { ++others; }));
  handler_may_end = true;
  REQUIRE(test::wait_until([&] { return handler_ended.load(); }));
  second_may_end = true;
  REQUIRE(test::wait_until([&] { return waited.load(); }));
  CHECK(test::wait_until([&] { return others == 20; }));
  may_end = true;
  pool.join();
}

TEST_CASE("a deferred future runs where it is waited for", "[contract][helping]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto answer = pool.async_submit(
      [&] { return pool.wait(std::async(std::launch::deferred, [] { return 5; })).get(); },
      asio::use_future);
  CHECK(answer.get() == 5);
}
