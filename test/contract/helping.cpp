// running_in_this_thread and wait(): a worker that waits for a job of its own pool.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
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

TEST_CASE("a deferred future runs where it is waited for", "[contract][helping]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto answer = pool.async_submit(
      [&] { return pool.wait(std::async(std::launch::deferred, [] { return 5; })).get(); },
      asio::use_future);
  CHECK(answer.get() == 5);
}
