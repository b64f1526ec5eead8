// close, async_drain, stop and join.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::error_code;
using brigade::pool_state;
using brigade::to_error_code;
using namespace std::chrono_literals;

namespace {

// Whether join() throws what a worker is to be told.
bool join_is_refused(brigade::worker_pool& pool) {
  try {
    pool.join();
  } catch (std::system_error const& error) {
    return error.code() == std::errc::resource_deadlock_would_occur;
  }
  return false;
}

}  // namespace

TEST_CASE("close() refuses outsiders and lets accepted jobs run on", "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto accepted = pool.async_submit([] { return 1; }, asio::use_future);
  pool.close();
  pool.close();
  CHECK(pool.state() == pool_state::draining);
  CHECK(pool.try_post([] {}) == errc::closed);
  std::vector<void (*)()> some(3, [] {});
  CHECK(pool.try_post_bulk(some.begin(), some.end()) == 0);
  CHECK_THROWS_AS(pool.async_submit([] {}, asio::use_future).get(), boost::system::system_error);
  gate.open();
  CHECK(accepted.get() == 1);
  pool.join();
  CHECK(pool.state() == pool_state::stopped);
  CHECK(pool.metrics().cancelled == 0);
}

TEST_CASE("a running job may submit while its pool drains, its handler may not",
          "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  std::atomic<int> ran{0};
  std::promise<error_code> from_handler;
  std::atomic<bool> admitted{false};
  pool.async_submit(
      [&] {
        gate.wait();
        admitted = !pool.try_post([&] {
          if (!pool.try_post([&] { ran.fetch_add(1); })) ran.fetch_add(1);
        });
        pool.async_submit([&] { ran.fetch_add(1); }, asio::detached);
      },
      [&](std::exception_ptr) { from_handler.set_value(pool.try_post([] {})); });
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  pool.close();
  CHECK(pool.try_post([] {}) == errc::closed);
  gate.open();
  CHECK(from_handler.get_future().get() == errc::closed);
  pool.join();
  CHECK(admitted);
  CHECK(ran == 3);
}

TEST_CASE("a job of another pool is an outsider", "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 1}};
  brigade::worker_pool other{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  pool.close();
  CHECK(other.async_submit([&] { return pool.try_post([] {}); }, asio::use_future).get() ==
        errc::closed);
  gate.open();
  pool.join();
}

TEST_CASE("async_drain closes the pool and completes once nothing is in flight",
          "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  std::atomic<int> ran{0};
  REQUIRE(gate.occupy(pool, 1));
  for (int i = 0; i != 10; ++i) CHECK_FALSE(pool.try_post([&] { ran.fetch_add(1); }));

  asio::io_context home;
  std::promise<std::pair<error_code, int>> by_callback;
  pool.async_drain([&](error_code error) { by_callback.set_value({error, ran}); });
  CHECK(pool.state() == pool_state::draining);
  CHECK(pool.try_post([] {}) == errc::closed);
  auto by_future = pool.async_drain(asio::use_future);
  int seen_by_coroutine = -1;
  auto const body = [&]() -> asio::awaitable<void> {
    co_await pool.async_drain(asio::use_awaitable);
    seen_by_coroutine = ran;
  };
  asio::co_spawn(home, body, asio::detached);
  home.poll();
  CHECK(seen_by_coroutine == -1);
  CHECK(by_future.wait_for(0s) == std::future_status::timeout);
  gate.open();
  CHECK_NOTHROW(by_future.get());
  CHECK(by_callback.get_future().get() == std::pair(error_code{}, 10));
  home.run();
  CHECK(seen_by_coroutine == 10);
  CHECK(pool.state() == pool_state::stopped);
  CHECK_NOTHROW(pool.async_drain(asio::use_future).get());  // drained already
  pool.join();
  CHECK_NOTHROW(pool.async_drain(asio::use_future).get());  // no threads any more
}

TEST_CASE("async_drain of a pool that never had a job completes", "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::promise<bool> told;
  pool.async_drain([&, caller = std::this_thread::get_id()](error_code) {
    told.set_value(std::this_thread::get_id() != caller);
  });
  CHECK(told.get_future().get());
}

TEST_CASE("async_drain may be called by a job, and is told when that has ended",
          "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::atomic<bool> job_has_ended{false};
  std::promise<bool> told;
  pool.async_submit(
      [&] { pool.async_drain([&](error_code error) { told.set_value(!error && job_has_ended); }); },
      [&](std::exception_ptr) { job_has_ended = true; });
  CHECK(told.get_future().get());
}

TEST_CASE("a drain can be given up while a job is stuck, and asked for again",
          "[contract][ending]") {
  using namespace asio::experimental::awaitable_operators;
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  std::size_t first = 9;
  std::exception_ptr failure;
  auto const body = [&]() -> asio::awaitable<void> {
    asio::steady_timer soon(home, 1ms);
    auto const ended =
        co_await (pool.async_drain(asio::use_awaitable) || soon.async_wait(asio::use_awaitable));
    first = ended.index();
  };
  asio::co_spawn(home, body, [&](std::exception_ptr thrown) { failure = thrown; });
  home.run();
  CHECK_FALSE(failure);
  CHECK(first == 1);
  CHECK(gate.waiting() == 1);
  CHECK(pool.state() == pool_state::draining);

  asio::cancellation_signal signal;
  error_code error;
  pool.async_drain(asio::bind_cancellation_slot(
      signal.slot(), asio::bind_executor(home, [&](error_code e) { error = e; })));
  signal.emit(asio::cancellation_type::total);
  home.restart();
  home.run();
  CHECK(error == asio::error::operation_aborted);

  auto drained = pool.async_drain(asio::use_future);
  gate.open();
  CHECK_NOTHROW(drained.get());
  signal.emit(asio::cancellation_type::terminal);  // harmless
  pool.join();
}

TEST_CASE("stop() returns at once, tells the queued and asks the running, while workers are stuck",
          "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::promise<void> started;
  auto asked = pool.async_submit(
      [&](std::stop_token stop) {
        started.set_value();
        auto const requested = test::wait_until([&] { return stop.stop_requested(); });
        gate.wait();
        return requested;
      },
      asio::use_future);
  started.get_future().get();

  asio::io_context home;
  int aborted = 0;
  std::atomic<bool> ran{false};
  for (int i = 0; i != 5; ++i) {
    pool.async_submit([&] { ran = true; }, asio::bind_executor(home, [&](std::exception_ptr e) {
                        aborted += to_error_code(e) == asio::error::operation_aborted;
                      }));
    CHECK_FALSE(pool.try_post([&] { ran = true; }));
  }
  auto future = pool.async_submit([&] { ran = true; }, asio::use_future);
  pool.stop();
  CHECK(pool.state() == pool_state::cancelling);
  pool.stop();
  CHECK(pool.metrics().cancelled == 11);
  CHECK(pool.metrics().running_jobs == 2);
  CHECK(pool.try_post([] {}) == errc::closed);
  home.run();  // returns once all five have been told; both workers still sit in their jobs
  CHECK(aborted == 5);
  CHECK(future.wait_for(60s) == std::future_status::ready);
  gate.open();
  CHECK(asked.get());
  pool.join();
  CHECK_FALSE(ran);
  CHECK(pool.metrics().cancelled == 11);
  CHECK(pool.state() == pool_state::stopped);
}

TEST_CASE("join() runs all that was accepted and every handler", "[contract][ending]") {
  for (int round = 0; round != 20; ++round) {
    brigade::worker_pool pool{{.threads = 2, .capacity = 2'000}};
    std::atomic<int> ran{0};
    std::atomic<int> told{0};
    for (int i = 0; i != 1'000; ++i) {
      pool.async_submit([&] { ran.fetch_add(1); },
                        [&](std::exception_ptr) {
                          asio::post(pool.get_executor(),
                                     [&] { told.fetch_add(1); });  // work of the handler
                        });
    }
    pool.join();
    REQUIRE(ran == 1'000);
    REQUIRE(told == 1'000);
    pool.join();
    CHECK(pool.state() == pool_state::stopped);
  }
}

TEST_CASE("several threads may join, and none returns before all has run", "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 2}};
  test::blocker gate;
  std::atomic<int> told{0};
  std::atomic<int> early{0};
  REQUIRE(gate.occupy(pool, 2));
  for (int i = 0; i != 100; ++i) {
    pool.async_submit([] {}, [&](std::exception_ptr) { told.fetch_add(1); });
  }
  std::vector<std::thread> joiners;
  for (int i = 0; i != 4; ++i) {
    joiners.emplace_back([&] {
      pool.join();
      if (told != 100) early.fetch_add(1);
    });
  }
  CHECK(test::wait_until([&] { return pool.state() == pool_state::draining; }));
  gate.open();
  for (auto& joiner : joiners) joiner.join();
  CHECK(early == 0);
}

TEST_CASE("join() from a worker throws resource_deadlock_would_occur", "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 2}};
  CHECK(pool.async_submit([&] { return join_is_refused(pool); }, asio::use_future).get());
  auto const coroutine = [&]() -> asio::awaitable<bool> { co_return join_is_refused(pool); };
  CHECK(pool.async_submit(coroutine, asio::use_future).get());
  std::promise<bool> in_handler;
  pool.async_submit([] {},
                    [&](std::exception_ptr) { in_handler.set_value(join_is_refused(pool)); });
  CHECK(in_handler.get_future().get());
  std::promise<bool> posted;
  asio::post(pool.get_executor(), [&] { posted.set_value(join_is_refused(pool)); });
  CHECK(posted.get_future().get());
  pool.join();
}

TEST_CASE("states only move forward", "[contract][ending]") {
  for (int round = 0; round != 50; ++round) {
    brigade::worker_pool pool{{.threads = 2, .capacity = 64}};
    CHECK(pool.state() == pool_state::running);
    std::atomic<bool> done{false};
    std::atomic<int> backward{0};
    std::thread observer([&] {
      auto last = pool_state::running;
      while (!done) {
        auto const now = pool.state();
        if (now < last) backward.fetch_add(1);
        last = now;
      }
    });
    for (int i = 0; i != 50; ++i) (void)pool.try_post([] {});
    std::thread closer([&] { pool.close(); });
    std::thread stopper([&] { pool.stop(); });
    pool.join();
    closer.join();
    stopper.join();
    pool.close();
    pool.stop();
    CHECK(pool.state() == pool_state::stopped);
    done = true;
    observer.join();
    CHECK(backward == 0);
  }
}

TEST_CASE("after join() every operation still completes its handler", "[contract][ending]") {
  brigade::worker_pool pool{{.threads = 1}};
  pool.join();
  std::promise<error_code> submitted;
  pool.async_submit([] { return 1; },
                    [&](std::exception_ptr e, int) { submitted.set_value(to_error_code(e)); });
  CHECK(submitted.get_future().get() == errc::closed);
  auto const coroutine = []() -> asio::awaitable<void> { co_return; };
  std::promise<error_code> bound;
  pool.async_submit(coroutine, asio::bind_executor(pool.get_executor(), [&](std::exception_ptr e) {
                      bound.set_value(to_error_code(e));
                    }));
  CHECK(bound.get_future().get() == errc::closed);
  std::promise<error_code> drained;
  pool.async_drain([&](error_code e) { drained.set_value(e); });
  CHECK_FALSE(drained.get_future().get());
  CHECK(pool.try_post([] {}) == errc::closed);
}
