// Times in the metrics: what is recorded in which mode, and that it lies between bounds that the
// test has measured itself.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::timing;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

/// Keeps a processor busy for at least so long.
void spin(nanoseconds time) {
  for (auto const end = steady::now() + time; steady::now() < end;) {
  }
}

nanoseconds busy_of_all(brigade::pool_metrics const& m) {
  return std::accumulate(m.worker_busy.begin(), m.worker_busy.end(), nanoseconds{0});
}

/// One of each kind of job; returns how many that is.
std::uint64_t submit_each_kind(brigade::worker_pool& pool) {
  REQUIRE_FALSE(pool.try_post([] {}));
  REQUIRE_FALSE(pool.try_post([] { throw std::runtime_error("part of the test"); }));
  pool.async_submit([] { return 1; }, [](std::exception_ptr, int) {});
  pool.async_submit([](std::stop_token) {}, asio::detached);
  auto coroutine = []() -> asio::awaitable<void> { co_await asio::post(asio::use_awaitable); };
  pool.async_submit(coroutine, asio::detached);
  return 5;
}

}  // namespace

TEST_CASE("with timing off there are no times", "[contract][timing]") {
  brigade::worker_pool pool{
      {.threads = 2, .on_job_error = [](std::exception_ptr) {}, .timing = timing::off}};
  submit_each_kind(pool);
  pool.join();
  auto const m = pool.metrics();
  CHECK(m.queue_wait.empty());
  CHECK(m.run_time.empty());
  CHECK(m.worker_busy.empty());
}

TEST_CASE("with full timing every job that started is in both histograms", "[contract][timing]") {
  brigade::worker_pool pool{
      {.threads = 2, .on_job_error = [](std::exception_ptr) {}, .timing = timing::full}};
  std::uint64_t jobs = 0;
  for (int i = 0; i != 100; ++i) jobs += submit_each_kind(pool);
  pool.join();
  auto const m = pool.metrics();
  CHECK(m.completed + m.failed == jobs);
  CHECK(m.queue_wait.count() == jobs);
  CHECK(m.run_time.count() == jobs);
  CHECK(m.worker_busy.size() == 2);
}

TEST_CASE("by default every job is timed while jobs are long", "[contract][timing]") {
  brigade::worker_pool pool{{.threads = 2}};
  constexpr std::uint64_t jobs = 500;
  for (std::uint64_t i = 0; i != jobs; ++i) REQUIRE_FALSE(pool.try_post([] { spin(20us); }));
  pool.join();
  auto const m = pool.metrics();
  CHECK(m.run_time.count() == jobs);
  CHECK(m.queue_wait.count() == jobs);
  CHECK(m.run_time.quantile(0) >= 20us);
}

TEST_CASE("by default the counts are an estimate of the number of jobs while jobs are tiny",
          "[contract][timing]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::uint64_t jobs = 0;
  // Until it shows that not every job is timed.
  REQUIRE(test::wait_until([&] {
    for (int i = 0; i != 1'000; ++jobs) {
      if (!pool.try_post([] {})) ++i;
    }
    auto const m = pool.metrics();
    auto const ended = m.completed + m.failed;
    return m.run_time.count() > ended + 2 || ended > m.run_time.count() + 2;
  }));
  jobs = 0;
  while (jobs != 200'000) {
    if (!pool.try_post([] {})) ++jobs;
  }
  pool.join();
  auto const m = pool.metrics();
  auto const near_enough = [&](std::uint64_t count) {
    return count > m.completed - m.completed / 10 && count < m.completed + m.completed / 10;
  };
  CHECK(near_enough(m.run_time.count()));
  CHECK(near_enough(m.queue_wait.count()));
}

TEST_CASE("a run time is at least what the job itself measures, and no more than has passed",
          "[contract][timing]") {
  brigade::worker_pool pool{{.threads = 1, .timing = timing::full}};
  nanoseconds inside{0};
  auto const before = steady::now();
  REQUIRE_FALSE(pool.try_post([&] {
    auto const begin = steady::now();
    spin(2ms);
    inside = steady::now() - begin;
  }));
  pool.join();
  auto const elapsed = steady::now() - before;
  auto const m = pool.metrics();
  CHECK(m.run_time.max() >= inside);
  CHECK(m.run_time.max() + m.queue_wait.max() <= elapsed);
  CHECK(m.run_time.sum() == m.run_time.max());
}

TEST_CASE("a queue wait is the time from admission to start", "[contract][timing]") {
  brigade::worker_pool pool{{.threads = 1, .timing = timing::full}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto const before = steady::now();
  REQUIRE_FALSE(pool.try_post([] {}));
  auto const queued = steady::now();
  spin(3ms);
  auto const least = steady::now() - queued;
  gate.open();
  pool.join();
  auto const most = steady::now() - before;
  auto const m = pool.metrics();
  CHECK(m.queue_wait.count() == 2);
  CHECK(m.queue_wait.max() >= least);
  CHECK(m.queue_wait.max() <= most);
}

TEST_CASE("a coroutine's run time includes the time that it is suspended", "[contract][timing]") {
  brigade::worker_pool pool{{.threads = 1, .timing = timing::full}};
  asio::steady_timer never(pool.get_executor(), asio::steady_timer::time_point::max());
  auto const coroutine = [&]() -> asio::awaitable<void> {
    co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
  };
  auto const before = steady::now();
  pool.async_submit(coroutine, asio::detached);
  REQUIRE(test::wait_until([&] {
    auto const m = pool.metrics();
    return m.running_jobs == 1 && m.active_workers == 0;
  }));
  CHECK(pool.metrics().queue_wait.count() == 1);
  CHECK(pool.metrics().run_time.empty());
  auto const suspended = steady::now();
  spin(3ms);
  auto const least = steady::now() - suspended;
  asio::post(pool.get_executor(), [&] { never.cancel(); });
  pool.join();
  auto const m = pool.metrics();
  CHECK(m.run_time.count() == 1);
  CHECK(m.run_time.max() >= least);
  CHECK(m.run_time.max() <= steady::now() - before);
  CHECK(busy_of_all(m) <= steady::now() - before);
}

TEST_CASE("a job that never starts has no times", "[contract][timing]") {
  brigade::worker_pool pool{{.threads = 1, .timing = timing::full}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::cancellation_signal signal;
  pool.async_submit([] {}, asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
  REQUIRE_FALSE(pool.try_post([] {}));
  pool.async_submit([] {}, asio::detached);
  signal.emit(asio::cancellation_type::total);
  pool.stop();
  gate.open();
  pool.join();
  auto const m = pool.metrics();
  CHECK(m.cancelled == 3);
  CHECK(m.queue_wait.count() == 1);
  CHECK(m.run_time.count() == 1);
}

TEST_CASE("a worker's busy time grows while it runs a job, and rests when it does",
          "[contract][timing]") {
  auto const mode = GENERATE(timing::sampled, timing::full);
  auto const before = steady::now();
  brigade::worker_pool pool{{.threads = 2, .timing = mode}};
  CHECK(pool.metrics().worker_busy == std::vector<nanoseconds>(2));
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto const running = steady::now();
  REQUIRE(test::wait_until([&] { return busy_of_all(pool.metrics()) > 5ms; }));
  CHECK(busy_of_all(pool.metrics()) >= 5ms);
  auto const first = busy_of_all(pool.metrics());
  auto const then = busy_of_all(pool.metrics());
  CHECK(then >= first);
  spin(1ms);
  auto const least = steady::now() - running;
  gate.open();
  REQUIRE(test::wait_until([&] { return pool.metrics().active_workers == 0; }));
  pool.join();
  auto const m = pool.metrics();
  CHECK(busy_of_all(m) >= least);
  CHECK(*std::max_element(m.worker_busy.begin(), m.worker_busy.end()) <= steady::now() - before);
  CHECK(pool.metrics().worker_busy == m.worker_busy);
}

TEST_CASE("time in handlers is busy, and no run time", "[contract][timing]") {
  brigade::worker_pool pool{{.threads = 1, .timing = timing::full}};
  nanoseconds in_handler{0};
  nanoseconds in_job{0};
  auto const before = steady::now();
  pool.async_submit([&] { in_job = steady::now() - before; },
                    [&](std::exception_ptr) {
                      auto const begin = steady::now();
                      spin(3ms);
                      in_handler = steady::now() - begin;
                    });
  pool.join();
  auto const m = pool.metrics();
  CHECK(busy_of_all(m) >= in_handler);
  CHECK(m.run_time.count() == 1);
  CHECK(m.run_time.max() + in_handler <= steady::now() - before);
}

TEST_CASE("a worker whose handler throws is not busy for ever", "[contract][timing]") {
  brigade::worker_pool pool{{.threads = 1, .on_handler_error = [](std::exception_ptr) {}}};
  pool.async_submit([] {},
                    [](std::exception_ptr) { throw std::runtime_error("part of the test"); });
  REQUIRE(test::wait_until([&] {
    auto const m = pool.metrics();
    return m.handler_errors == 1 && m.active_workers == 0;
  }));
  pool.join();
  auto const once = busy_of_all(pool.metrics());
  spin(1ms);
  CHECK(busy_of_all(pool.metrics()) == once);
}

TEST_CASE("jobs on a host are timed like others", "[contract][timing]") {
  asio::io_context host;
  brigade::worker_pool pool{host.get_executor(),
                            {.threads = 2, .capacity = 100, .timing = timing::full}};
  for (int i = 0; i != 10; ++i) REQUIRE_FALSE(pool.try_post([] { spin(50us); }));
  auto const before = steady::now();
  host.run();
  auto const elapsed = steady::now() - before;
  auto const m = pool.metrics();
  CHECK(m.queue_wait.count() == 10);
  CHECK(m.run_time.count() == 10);
  CHECK(m.run_time.quantile(0) >= 50us);
  CHECK(busy_of_all(m) >= 500us);
  CHECK(busy_of_all(m) <= elapsed);
}

TEST_CASE("metrics carry the pool's name", "[contract][timing]") {
  brigade::worker_pool const pool{{.threads = 1, .name = "resize"}};
  CHECK(pool.metrics().name == "resize");
}
