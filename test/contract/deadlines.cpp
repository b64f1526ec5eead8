// start_by: what was not started in time never is.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/balanced.hpp"
#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using steady = brigade::clock;
using brigade::errc;
using brigade::error_code;
using brigade::to_error_code;
using namespace std::chrono_literals;

namespace {

using test::balanced;

}  // namespace

TEST_CASE("a queued job expires when the time comes, while every worker is stuck",
          "[contract][deadlines]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  std::atomic<bool> ran{false};
  error_code told;
  auto const by = steady::now() + 10ms;
  pool.async_submit([&] { ran = true; }, {.start_by = by},
                    asio::bind_executor(
                        home, [&](std::exception_ptr failure) { told = to_error_code(failure); }));
  home.run();
  CHECK(told == errc::expired);
  CHECK(steady::now() >= by);
  CHECK_FALSE(pool.try_post([] {}));  // its slot came back at once
  gate.open();
  pool.join();
  CHECK_FALSE(ran);
  CHECK(pool.metrics().expired == 1);
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("a job that starts in time is not disturbed", "[contract][deadlines]") {
  brigade::worker_pool pool{{.threads = 1}};
  for (auto const by : {steady::now() + 24h, steady::time_point::max()}) {
    CHECK(pool.async_submit([] { return 7; }, {.start_by = by}, asio::use_future).get() == 7);
  }
  auto const by = steady::now() + 30ms;
  auto slow = pool.async_submit(
      [&] {
        while (steady::now() < by + 10ms) std::this_thread::yield();
        return 8;
      },
      {.start_by = by}, asio::use_future);
  CHECK(slow.get() == 8);
  CHECK(pool.metrics().expired == 0);
}

TEST_CASE("a deadline that has passed already is kept", "[contract][deadlines]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::atomic<bool> ran{false};
  for (auto const by : {steady::now() - 1s, steady::time_point::min()}) {
    auto late = pool.async_submit([&] { ran = true; }, {.start_by = by}, asio::use_future);
    CHECK_THROWS_AS(late.get(), boost::system::system_error);
    CHECK_FALSE(pool.try_post([&] { ran = true; }, {.start_by = by}));
  }
  pool.join();
  CHECK_FALSE(ran);
  CHECK(pool.metrics().expired == 4);
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("deadlines come in the order of their times, not of their submission",
          "[contract][deadlines]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 128}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  std::vector<int> told;
  auto const now = steady::now();
  for (int i = 49; i >= 0; --i) {
    pool.async_submit([] {}, {.start_by = now + 2ms * i},
                      asio::bind_executor(home, [&told, i](std::exception_ptr failure) {
                        CHECK(to_error_code(failure) == errc::expired);
                        told.push_back(i);
                      }));
  }
  home.run();
  CHECK(told.size() == 50);
  CHECK(pool.metrics().expired == 50);
}

TEST_CASE("a posted job may have a deadline and a name", "[contract][deadlines]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::atomic<bool> ran{false};
  REQUIRE_FALSE(
      pool.try_post([&] { ran = true; }, {.start_by = steady::now() + 5ms, .name = "late"}));
  CHECK(test::wait_until([&] { return pool.metrics().expired == 1; }));
  REQUIRE_FALSE(pool.try_post([&] { ran = true; }, {.name = "in time"}));
  struct untouched {
    std::unique_ptr<int> load = std::make_unique<int>(1);
    void operator()() const {}
  } refused;
  CHECK(pool.try_post(std::move(refused), {.start_by = steady::now() + 24h}) == errc::queue_full);
  CHECK(refused.load != nullptr);
  gate.open();
  pool.join();
  CHECK(ran);
}

TEST_CASE("far deadlines of jobs that have ended keep nothing", "[contract][deadlines]") {
  auto const held = std::make_shared<int>(1);
  {
    brigade::worker_pool pool{{.threads = 1, .capacity = 1024}};
    for (int i = 0; i != 10'000; ++i) {
      while (pool.try_post([held] {}, {.start_by = steady::now() + 24h})) std::this_thread::yield();
    }
    pool.join();
    CHECK(pool.metrics().completed == 10'000);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("a deadline, a cancellation and a worker agree on who has the job",
          "[stress][deadlines]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 64}};
  constexpr int jobs = 3'000;
  std::vector<std::atomic<int>> ran(jobs);
  std::vector<std::atomic<int>> told(jobs);
  std::atomic<int> all_told{0};
  for (int i = 0; i != jobs; ++i) {
    auto const n = static_cast<std::size_t>(i);
    asio::cancellation_signal signal;
    auto handler = [&, n](std::exception_ptr failure) {
      told[n].fetch_add(to_error_code(failure) ? 100 : 1);
      all_told.fetch_add(1);
    };
    pool.async_submit([&, n] { ran[n].fetch_add(1); },
                      {.when_full = brigade::overflow::wait,
                       .start_by = steady::now() + std::chrono::microseconds{i % 200}},
                      asio::bind_cancellation_slot(signal.slot(), handler));
    if (i % 3 == 0) signal.emit(asio::cancellation_type::partial);
  }
  CHECK(test::wait_until([&] { return all_told == jobs; }));
  pool.join();
  int wrong = 0;
  for (std::size_t i = 0; i != jobs; ++i) {
    bool const completed = ran[i] == 1 && told[i] == 1;
    bool const ended = ran[i] == 0 && told[i] == 100;
    if (!completed && !ended) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(balanced(pool.metrics()));
}
