// A job that tries again where the pool is full.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <brigade/brigade.hpp>

#include "support/balanced.hpp"
#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/counting_allocator.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::async_retry;
using brigade::backoff_policy;
using brigade::errc;
using brigade::to_error_code;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

// Tries often, and never gives up in a test.
backoff_policy const patient{
    .first = 1ms, .most = 2ms, .factor = 1, .tries = 1'000'000, .total = 3'600'000ms};
// Is refused once, and then pauses for longer than any test lasts, but for very bad luck.
backoff_policy const sleepy{
    .first = 3'600'000ms, .most = 3'600'000ms, .factor = 1, .tries = 1'000, .total = 86'400'000ms};

using test::balanced;

auto into(std::promise<brigade::error_code>& told) {
  return [&told](std::exception_ptr failure) { told.set_value(to_error_code(failure)); };
}

/// A pool whose one slot is taken.
struct full_pool {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  full_pool() { REQUIRE(gate.occupy(pool, 1)); }
};

}  // namespace

TEST_CASE("where there is a slot a retry is a submission", "[contract][retry]") {
  brigade::worker_pool pool{{.threads = 1}};
  CHECK(async_retry(
            pool, {}, [] { return 7; }, asio::use_future)
            .get() == 7);
  auto const job = []() -> asio::awaitable<int> { co_return 8; };
  CHECK(async_retry(pool, {}, job, {.name = "eight"}, asio::use_future).get() == 8);
  CHECK_THROWS_AS(async_retry(
                      pool, {}, [] { throw std::logic_error("own"); }, asio::use_future)
                      .get(),
                  std::logic_error);
  CHECK(pool.metrics().rejected.total() == 0);
}

TEST_CASE("a job that was refused is run when there is a slot", "[contract][retry]") {
  full_pool full;
  asio::io_context home;
  auto const function = [] { return 7; };
  auto const stoppable = [](std::stop_token) { return 7; };
  auto const coroutine = []() -> asio::awaitable<int> {
    co_await asio::post(asio::use_awaitable);
    co_return 7;
  };
  std::vector<std::future<int>> results;
  results.push_back(async_retry(full.pool, patient, function, asio::use_future));
  results.push_back(async_retry(full.pool, patient, stoppable, asio::use_future));
  results.push_back(async_retry(
      full.pool, patient, [owned = std::make_unique<int>(7)] { return *owned; }, asio::use_future));
  results.push_back(async_retry(full.pool, patient, coroutine, asio::use_future));
  int sum = 0;
  auto const add = [&](std::exception_ptr, int result) { sum += result; };
  async_retry(full.pool, patient, function, asio::bind_executor(home, add));
  auto deferred = async_retry(full.pool, patient, function, asio::deferred);
  std::move(deferred)(asio::bind_executor(asio::make_strand(home), add));
  auto const body = [&]() -> asio::awaitable<void> {
    sum += co_await async_retry(full.pool, patient, function, asio::use_awaitable);
    auto const tuple =
        co_await async_retry(full.pool, patient, coroutine, asio::as_tuple(asio::use_awaitable));
    sum += std::get<1>(tuple);
  };
  asio::co_spawn(home, body(), asio::detached);
  CHECK(full.pool.metrics().admitted == 1);
  full.gate.open();
  for (auto& result : results) CHECK(result.get() == 7);
  home.run();
  CHECK(sum == 28);
  full.pool.join();
  CHECK(full.pool.metrics().completed == 9);
  CHECK(full.pool.metrics().rejected.total() == 0);  // in the end nobody was
}

TEST_CASE("when the tries are used up the last verdict is told", "[contract][retry]") {
  full_pool full;
  std::promise<brigade::error_code> told;
  asio::io_context home;
  backoff_policy policy{.first = 1ms, .most = 1ms, .factor = 1, .tries = 3, .total = 1h};
  SECTION("by number") {}
  SECTION("at once, for there is only one") { policy.tries = 1; }
  SECTION("by time") { policy = {.total = 0ms}; }
  async_retry(
      full.pool, policy, [] {}, asio::bind_executor(home, into(told)));
  home.run();
  CHECK(told.get_future().get() == errc::queue_full);
  CHECK(full.pool.metrics().rejected.queue_full == 1);
  CHECK(full.pool.metrics().admitted == 1);
}

TEST_CASE("a closed pool is not tried again", "[contract][retry]") {
  full_pool full;
  std::promise<brigade::error_code> told;
  asio::io_context home;
  SECTION("closed before") {
    full.pool.close();
    async_retry(
        full.pool, sleepy, [] {}, asio::bind_executor(home, into(told)));
  }
  SECTION("closed meanwhile") {
    async_retry(
        full.pool, sleepy, [] {}, asio::bind_executor(home, into(told)));
    full.pool.close();
  }
  SECTION("stopped meanwhile") {
    async_retry(
        full.pool, sleepy, [] {}, asio::bind_executor(home, into(told)));
    full.pool.stop();
  }
  home.run();  // at once: not after an hour
  CHECK(told.get_future().get() == errc::closed);
  CHECK(full.pool.metrics().rejected.closed == 1);
}

TEST_CASE("a retry outlives its pool, and is told", "[contract][retry]") {
  std::promise<brigade::error_code> told;
  {
    full_pool full;
    async_retry(
        full.pool, sleepy, [] {}, into(told));
  }
  CHECK(told.get_future().get() == errc::closed);
}

TEST_CASE("a retry that a running job began goes on while the pool drains", "[contract][retry]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  std::promise<brigade::error_code> told;
  test::blocker gate;
  auto const job = [&] {
    async_retry(
        pool, patient, [] {}, into(told));
    gate.wait();
  };
  REQUIRE_FALSE(pool.try_post(job));
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  pool.close();
  gate.open();
  auto const result = told.get_future().get();
  // It lost, if the drain had come to its end before the next try.
  CHECK((!result || result == errc::closed));
  pool.join();
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("a pause can be cancelled", "[contract][retry]") {
  auto const type = GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::partial,
                             asio::cancellation_type::total);
  full_pool full;
  std::promise<brigade::error_code> told;
  asio::io_context home;
  asio::cancellation_signal signal;
  std::atomic<bool> ran{false};
  auto token = asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(home, into(told)));
  auto const coroutine = [&]() -> asio::awaitable<void> {
    ran = true;
    co_return;
  };
  SECTION("a function's") {
    async_retry(
        full.pool, sleepy, [&] { ran = true; }, token);
  }
  SECTION("a coroutine's") { async_retry(full.pool, sleepy, coroutine, token); }
  signal.emit(asio::cancellation_type::none);
  signal.emit(type);
  home.run();
  CHECK(told.get_future().get() == asio::error::operation_aborted);
  signal.emit(type);  // harmless
  full.gate.open();
  full.pool.join();
  CHECK_FALSE(ran);
  CHECK(full.pool.metrics().rejected.cancelled == 1);
  CHECK(balanced(full.pool.metrics()));
}

TEST_CASE("once admitted it is cancelled as a submission", "[contract][retry]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto slot = pool.try_reserve();
  REQUIRE(slot.has_value());
  asio::io_context home;
  asio::cancellation_signal signal;
  std::promise<brigade::error_code> told;
  auto token = asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(home, into(told)));
  SECTION("queued") {
    std::atomic<bool> ran{false};
    async_retry(
        pool, patient, [&] { ran = true; }, token);
    slot->release();
    REQUIRE(test::wait_until([&] { return pool.metrics().queued_jobs == 1; }));
    signal.emit(asio::cancellation_type::terminal);
    home.run();
    CHECK(told.get_future().get() == asio::error::operation_aborted);
    CHECK(pool.metrics().cancelled == 1);
    gate.open();
    pool.join();
    CHECK_FALSE(ran);
  }
  SECTION("running") {
    std::atomic<bool> runs{false};
    auto const job = [&](std::stop_token stop) {
      runs = true;
      while (!stop.stop_requested()) std::this_thread::yield();
    };
    async_retry(pool, patient, job, token);
    slot->release();
    gate.open();
    REQUIRE(test::wait_until([&] { return runs.load(); }));
    signal.emit(asio::cancellation_type::terminal);
    home.run();
    CHECK(told.get_future().get() == brigade::error_code{});
  }
}

TEST_CASE("the || of awaitable_operators ends a pause", "[contract][retry]") {
  using namespace asio::experimental::awaitable_operators;
  full_pool full;
  asio::io_context home;
  bool outrun = false;
  auto const body = [&]() -> asio::awaitable<void> {
    asio::steady_timer now{home, asio::steady_timer::time_point::min()};
    auto const job = [] {};
    auto const first = co_await (async_retry(full.pool, sleepy, job, asio::use_awaitable) ||
                                 now.async_wait(asio::use_awaitable));
    outrun = first.index() == 1;
  };
  asio::co_spawn(home, body(), asio::detached);
  home.run();
  CHECK(outrun);
}

TEST_CASE("a deadline ends a pause", "[contract][retry]") {
  full_pool full;
  asio::io_context home;
  std::promise<brigade::error_code> told;
  async_retry(
      full.pool, sleepy, [] {}, {.start_by = brigade::clock::now() + 5ms},
      asio::bind_executor(home, into(told)));
  home.run();
  CHECK(told.get_future().get() == errc::expired);
  CHECK(full.pool.metrics().rejected.expired == 1);
}

TEST_CASE("a bad policy or bad options are refused with a message", "[contract][retry]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto const job = [] {};
  CHECK_THROWS_AS(async_retry(pool, {.tries = 0}, job, asio::detached), std::invalid_argument);
  CHECK_THROWS_WITH(async_retry(pool, {.factor = 0.5}, job, asio::detached),
                    Contains("backoff_policy::factor: 0.5"));
  CHECK_THROWS_AS(async_retry(pool, {}, job, {.lane = 1}, asio::detached), std::out_of_range);
  CHECK_THROWS_WITH(
      async_retry(pool, {}, job, {.when_full = brigade::overflow::wait}, asio::detached),
      Contains("when_full"));
  CHECK(pool.metrics().admitted == 0);
}

TEST_CASE("a retry keeps the context of its handler, and a host's, running", "[contract][retry]") {
  asio::io_context host;
  brigade::worker_pool pool{host.get_executor(), {.threads = 1, .capacity = 1}};
  auto slot = pool.try_reserve();
  REQUIRE(slot.has_value());
  bool told = false;
  async_retry(
      pool, patient, [] {}, [&](std::exception_ptr failure) { told = !failure; });
  host.poll();
  CHECK_FALSE(host.stopped());
  slot->release();
  host.run();
  CHECK(told);
}
