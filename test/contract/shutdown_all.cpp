// async_shutdown_all: several pools under one deadline, together or one after the other.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::async_shutdown_all;
using brigade::errc;
using brigade::error_code;
using brigade::pool_state;
using brigade::shutdown_order;
using brigade::shutdown_report;
using brigade::worker_pool;
using namespace std::chrono_literals;

TEST_CASE("idle pools are stopped at once, with a report for each", "[contract][shutdown_all]") {
  worker_pool one{{.threads = 1}};
  worker_pool other{{.threads = 1}};
  one.async_submit([] {}, asio::use_future).get();
  auto const order = GENERATE(shutdown_order::together, shutdown_order::one_after_another);
  auto const reports =
      async_shutdown_all({one, other, one}, order, {.lame_duck = 1ms}, asio::use_future).get();
  REQUIRE(reports.size() == 3);
  for (auto const& report : reports) CHECK(report.reached == pool_state::stopped);
  CHECK(reports[0].completed == 1);
  CHECK(reports[1].completed == 0);
  CHECK(reports[2].completed == 1);
}

TEST_CASE("together, no pool waits for another", "[contract][shutdown_all]") {
  worker_pool slow{{.threads = 1}};
  worker_pool quick{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(slow, 1));
  auto ended = async_shutdown_all({slow, quick}, {}, asio::use_future);
  REQUIRE(test::wait_until([&] { return quick.state() == pool_state::stopped; }));
  CHECK(slow.state() == pool_state::draining);
  gate.open();
  CHECK(ended.get()[0].completed == 1);
}

TEST_CASE("in an order, a pool admits until the one before it has ended",
          "[contract][shutdown_all]") {
  worker_pool source{{.threads = 1, .capacity = 8}};
  worker_pool middle{{.threads = 1, .capacity = 8}};
  worker_pool sink{{.threads = 1, .capacity = 8}};
  test::blocker gate;
  std::atomic<int> arrived{0};
  std::atomic<int> refused{0};
  REQUIRE(gate.occupy(source, 1));
  for (int i = 0; i != 4; ++i) {
    REQUIRE_FALSE(source.try_post([&] {
      auto const second = [&] {
        if (sink.try_post([&] { arrived.fetch_add(1); })) refused.fetch_add(1);
      };
      if (middle.try_post(second)) refused.fetch_add(1);
    }));
  }
  auto ended = async_shutdown_all({source, middle, sink}, shutdown_order::one_after_another,
                                  {.drain = 24h}, asio::use_future);
  REQUIRE(test::wait_until([&] {
    return source.state() == pool_state::draining && middle.state() == pool_state::lame_duck &&
           sink.state() == pool_state::lame_duck;
  }));
  CHECK(source.try_post([] {}) == errc::closed);
  gate.open();
  auto const reports = ended.get();
  CHECK(arrived == 4);
  CHECK(refused == 0);
  for (auto const& report : reports) {
    CHECK(report.reached == pool_state::stopped);
    CHECK(report.exit_code() == 0);
  }
}

TEST_CASE("in an order, the deadline is that of all", "[contract][shutdown_all]") {
  worker_pool stuck{{.threads = 1, .capacity = 8}};
  worker_pool next{{.threads = 1, .capacity = 8}};
  test::blocker gate;
  REQUIRE(gate.occupy(stuck, 1));
  REQUIRE(gate.occupy(next, 1));
  REQUIRE_FALSE(stuck.try_post([] {}));
  REQUIRE_FALSE(next.try_post([] {}));
  auto const began = std::chrono::steady_clock::now();
  auto const reports = async_shutdown_all({stuck, next}, shutdown_order::one_after_another,
                                          {.drain = 20ms, .cancel = 20ms}, asio::use_future)
                           .get();
  CHECK(std::chrono::steady_clock::now() - began >= 40ms);
  for (auto const& report : reports) {
    CHECK(report.reached == pool_state::cancelling);
    CHECK(report.abandoned == 1);
    CHECK(report.cancelled == 1);
  }
}

TEST_CASE("a pool that is closed by hand before its turn drains until the deadline of all",
          "[contract][shutdown_all]") {
  worker_pool first{{.threads = 1}};
  worker_pool second{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(first, 1));
  REQUIRE(gate.occupy(second, 1));
  REQUIRE_FALSE(second.try_post([] {}));
  auto ended = async_shutdown_all({first, second}, shutdown_order::one_after_another,
                                  {.drain = 24h}, asio::use_future);
  REQUIRE(test::wait_until([&] { return second.state() == pool_state::lame_duck; }));
  second.close();
  REQUIRE(test::wait_until([&] { return second.state() == pool_state::draining; }));
  gate.open();
  auto const reports = ended.get();
  CHECK(reports[1].completed == 2);
  CHECK(reports[1].exit_code() == 0);
}

TEST_CASE("a pool that was shut down before keeps its own times", "[contract][shutdown_all]") {
  worker_pool begun{{.threads = 1}};
  worker_pool other{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(begun, 1));
  auto own = begun.async_shutdown({.drain = 24h}, asio::use_future);
  auto all = async_shutdown_all({other, begun}, shutdown_order::one_after_another,
                                {.drain = 1ms, .cancel = 1ms}, asio::use_future);
  REQUIRE(test::wait_until([&] { return other.state() == pool_state::stopped; }));
  CHECK(begun.state() == pool_state::draining);
  gate.open();
  CHECK(own.get().reached == pool_state::stopped);
  CHECK(all.get()[1].reached == pool_state::stopped);
}

TEST_CASE("the handler is told on its own executor, once, and may be cancelled",
          "[contract][shutdown_all]") {
  asio::io_context context;
  worker_pool one{{.threads = 1}};
  worker_pool other{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(other, 1));
  asio::cancellation_signal signal;
  int told = 0;
  error_code result;
  async_shutdown_all({one, other}, {},
                     asio::bind_cancellation_slot(
                         signal.slot(), asio::bind_executor(context, [&](error_code why, auto) {
                           ++told;
                           result = why;
                         })));
  REQUIRE(test::wait_until([&] { return one.state() == pool_state::stopped; }));
  signal.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(told == 1);
  CHECK(result == asio::error::operation_aborted);
  CHECK(other.state() == pool_state::draining);
  gate.open();
  CHECK(test::wait_until([&] { return other.state() == pool_state::stopped; }));
}

TEST_CASE("the pools may be destroyed while their end is awaited", "[contract][shutdown_all]") {
  std::future<std::vector<shutdown_report>> ended;
  {
    worker_pool one{{.threads = 1}};
    worker_pool other{{.threads = 1}};
    ended = async_shutdown_all({one, other}, shutdown_order::one_after_another, {.lame_duck = 24h},
                               asio::use_future);
  }
  for (auto const& report : ended.get()) CHECK(report.reached == pool_state::stopped);
}

TEST_CASE("no pools, and negative times, are refused", "[contract][shutdown_all]") {
  worker_pool pool{{.threads = 1}};
  CHECK_THROWS_AS(async_shutdown_all({}, {}, asio::detached), std::invalid_argument);
  CHECK_THROWS_AS(async_shutdown_all({pool}, {.drain = -1ms}, asio::detached),
                  std::invalid_argument);
  CHECK(pool.state() == pool_state::running);
}
