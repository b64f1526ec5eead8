// metrics(): what each field says, and what holds in every snapshot.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::pool_metrics;
using brigade::pool_state;
using namespace std::chrono_literals;

namespace {

bool balances(pool_metrics const& m) {
  return m.admitted ==
         m.completed + m.failed + m.cancelled + m.expired + m.shed + m.queued_jobs + m.running_jobs;
}
bool within_bound(pool_metrics const& m) { return m.queued_jobs + m.running_jobs <= m.capacity; }

// Whether what only counts upwards has not gone down from `a` to `b`.
bool has_not_shrunk(pool_metrics const& a, pool_metrics const& b) {
  return a.admitted <= b.admitted && a.completed <= b.completed && a.failed <= b.failed &&
         a.cancelled <= b.cancelled && a.rejected.queue_full <= b.rejected.queue_full &&
         a.rejected.closed <= b.rejected.closed && a.handler_errors <= b.handler_errors &&
         a.state <= b.state;
}

struct snapshot_faults {
  std::uint64_t taken = 0;
  std::uint64_t unbalanced = 0;
  std::uint64_t over_bound = 0;
  std::uint64_t shrunk = 0;
  std::uint64_t unlikely = 0;  // more workers active than there are, or an age of an hour
};

// Takes snapshots until told to end; at least one after that.
snapshot_faults watch(brigade::worker_pool const& pool, std::atomic<bool> const& end) {
  snapshot_faults faults;
  pool_metrics last;
  for (bool more = true; more;) {
    more = !end;
    auto const now = pool.metrics();
    ++faults.taken;
    faults.unbalanced += !balances(now);
    faults.over_bound += !within_bound(now);
    faults.shrunk += !has_not_shrunk(last, now);
    faults.unlikely += now.active_workers > now.workers || now.oldest_queued_age > 1h ||
                       now.oldest_queued_age < 0ns;
    last = now;
  }
  return faults;
}

template <class Condition>
bool soon(brigade::worker_pool& pool, Condition condition) {
  return test::wait_until([&] { return condition(pool.metrics()); });
}

}  // namespace

TEST_CASE("a new pool has counted nothing", "[contract][metrics]") {
  brigade::worker_pool const pool{{.threads = 3, .capacity = 17}};
  auto const now = pool.metrics();
  CHECK(now.workers == 3);
  CHECK(now.capacity == 17);
  CHECK(now.state == pool_state::running);
  CHECK(now.queued_jobs + now.running_jobs + now.waiting + now.admitted == 0);
  CHECK(now.completed + now.failed + now.cancelled + now.expired + now.shed == 0);
  CHECK(now.rejected.total() + now.handler_errors == 0);
  CHECK(now.oldest_queued_age == 0ns);
}

TEST_CASE("queued, running and active are told apart", "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 10}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  CHECK(soon(pool, [](auto const& m) { return m.active_workers == 1; }));
  CHECK(pool.metrics().running_jobs == 1);
  CHECK(pool.metrics().queued_jobs == 0);
  REQUIRE(gate.occupy(pool, 1));
  for (int i = 0; i != 5; ++i) REQUIRE_FALSE(pool.try_post([] {}));
  auto const full = pool.metrics();
  CHECK(full.running_jobs == 2);
  CHECK(full.active_workers == 2);
  CHECK(full.queued_jobs == 5);
  CHECK(full.admitted == 7);
  CHECK(full.completed == 0);
  gate.open();
  CHECK(soon(pool, [](auto const& m) { return m.completed == 7 && m.active_workers == 0; }));
  CHECK(pool.metrics().running_jobs == 0);
  CHECK(pool.metrics().queued_jobs == 0);
}

TEST_CASE("a suspended coroutine is running, and no worker is active for it",
          "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  asio::steady_timer never(pool.get_executor(), asio::steady_timer::time_point::max());
  auto const coroutine = [&]() -> asio::awaitable<void> {
    co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
  };
  pool.async_submit(coroutine, asio::detached);
  CHECK(soon(pool, [](auto const& m) { return m.running_jobs == 1 && m.active_workers == 0; }));
  CHECK(pool.metrics().queued_jobs == 0);
  CHECK(pool.metrics().admitted == 1);
  asio::post(pool.get_executor(), [&] { never.cancel(); });
  CHECK(soon(pool, [](auto const& m) { return m.completed == 1 && m.running_jobs == 0; }));
}

TEST_CASE("a worker that runs a handler is active", "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  pool.async_submit([] {}, [&](std::exception_ptr) { gate.wait(); });
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  auto const now = pool.metrics();
  CHECK(now.active_workers == 1);
  CHECK(now.running_jobs == 0);
  CHECK(now.completed == 1);
}

TEST_CASE("refusals are counted by reason, and are no outcome", "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  for (int i = 0; i != 3; ++i) CHECK(pool.try_post([] {}) == errc::queue_full);
  pool.async_submit([] {}, asio::detached);
  CHECK(pool.metrics().rejected.queue_full == 4);
  pool.close();
  CHECK(pool.try_post([] {}) == errc::closed);
  pool.async_submit([](std::stop_token) {}, asio::detached);

  auto const now = pool.metrics();
  CHECK(now.rejected.queue_full == 4);
  CHECK(now.rejected.closed == 2);
  CHECK(now.rejected.total() == 6);
  CHECK(now.rejected[errc::queue_full] == 4);
  CHECK(now.rejected[errc::closed] == 2);
  CHECK(now.rejected[errc::expired] == 0);
  CHECK(now.rejected[errc::shed] == 0);
  CHECK(now.rejected[errc::job_failed] == 0);
  CHECK(now.admitted == 1);
  CHECK(now.cancelled == 0);
  CHECK(balances(now));
}

TEST_CASE("each outcome is counted as what it is", "[contract][metrics]") {
  brigade::worker_pool pool{
      {.threads = 1, .capacity = 20, .on_job_error = [](std::exception_ptr) {}}};
  for (int i = 0; i != 3; ++i) REQUIRE_FALSE(pool.try_post([] {}));
  for (int i = 0; i != 2; ++i) REQUIRE_FALSE(pool.try_post([] { throw 1; }));
  pool.async_submit([] { throw 1; },
                    asio::bind_executor(pool.get_executor(), [](std::exception_ptr) {}));
  CHECK(soon(pool, [](auto const& m) { return m.completed == 3 && m.failed == 3; }));

  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::cancellation_signal signal;
  pool.async_submit([] {}, asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
  CHECK(pool.metrics().queued_jobs == 1);
  signal.emit(asio::cancellation_type::total);
  CHECK(pool.metrics().queued_jobs == 0);
  CHECK(pool.metrics().cancelled == 1);
  REQUIRE_FALSE(pool.try_post([] {}));
  pool.stop();
  CHECK(pool.metrics().cancelled == 2);
  gate.open();
  pool.join();

  auto const end = pool.metrics();
  CHECK(end.completed == 4);
  CHECK(end.failed == 3);
  CHECK(end.cancelled == 2);
  CHECK(end.expired == 0);
  CHECK(end.shed == 0);
  CHECK(end.admitted == 9);
  CHECK(end.handler_errors == 0);
  CHECK(balances(end));
}

TEST_CASE("a running job that is asked to stop counts as what it then does",
          "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::atomic<bool> runs{false};
  pool.async_submit(
      [&](std::stop_token stop) {
        runs = true;
        while (!stop.stop_requested()) std::this_thread::yield();
      },
      asio::detached);
  REQUIRE(test::wait_until([&] { return runs.load(); }));
  pool.stop();
  pool.join();
  CHECK(pool.metrics().completed == 1);
  CHECK(pool.metrics().cancelled == 0);
}

TEST_CASE("the oldest queued job's age grows while it is queued, and is zero where none is",
          "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 3}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  CHECK(pool.metrics().oldest_queued_age == 0ns);
  auto const before = std::chrono::steady_clock::now();
  REQUIRE_FALSE(pool.try_post([] {}));
  CHECK(soon(pool, [](auto const& m) { return m.oldest_queued_age > 20ms; }));
  auto const age = pool.metrics().oldest_queued_age;
  CHECK(age <= std::chrono::steady_clock::now() - before + 20ms);  // the coarse clock's steps
  REQUIRE_FALSE(pool.try_post([] {}));                             // a younger one changes nothing
  CHECK(pool.metrics().oldest_queued_age >= age);
  CHECK(soon(pool, [&](auto const& m) { return m.oldest_queued_age > age; }));
  gate.open();
  CHECK(soon(pool, [](auto const& m) { return m.completed == 3; }));
  CHECK(pool.metrics().oldest_queued_age == 0ns);
}

TEST_CASE("the estimated wait is what is queued, at the pace of late", "[contract][metrics]") {
  auto const measured = GENERATE(brigade::timing::sampled, brigade::timing::full);
  brigade::worker_pool pool{{.threads = 1, .capacity = 64, .timing = measured}};
  CHECK(pool.estimated_wait() == 0ns);
  auto const two_milliseconds = [] {
    auto const until = std::chrono::steady_clock::now() + 2ms;
    while (std::chrono::steady_clock::now() < until) {
    }
  };
  for (int i = 0; i != 20; ++i) REQUIRE_FALSE(pool.try_post(two_milliseconds));
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  CHECK(pool.estimated_wait() == 0ns);
  for (int i = 0; i != 10; ++i) REQUIRE_FALSE(pool.try_post([] {}));
  CHECK(pool.estimated_wait() >= 20ms);
  auto const of_ten = pool.estimated_wait();
  for (int i = 0; i != 10; ++i) REQUIRE_FALSE(pool.try_post([] {}));
  CHECK(pool.estimated_wait() >= 2 * of_ten - 1us);
}

TEST_CASE("without timing the wait is not estimated", "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1, .timing = brigade::timing::off}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] {}));
  CHECK(pool.estimated_wait() == 0ns);
}

TEST_CASE("the state in a snapshot is the pool's", "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  CHECK(pool.metrics().state == pool_state::running);
  pool.close();
  CHECK(pool.metrics().state == pool_state::draining);
  pool.stop();
  CHECK(pool.metrics().state == pool_state::cancelling);
  gate.open();
  pool.join();
  CHECK(pool.metrics().state == pool_state::stopped);
  CHECK(pool.state() == pool_state::stopped);
}

TEST_CASE("metrics can be read after join, and do not change any more", "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 100}};
  for (int i = 0; i != 100; ++i) REQUIRE_FALSE(pool.try_post([] {}));
  pool.join();
  for (int i = 0; i != 2; ++i) {
    auto const end = pool.metrics();
    CHECK(end.admitted == 100);
    CHECK(end.completed == 100);
    CHECK(end.queued_jobs + end.running_jobs == 0);
    CHECK(end.active_workers == 0);
    CHECK(end.workers == 2);
    CHECK(end.oldest_queued_age == 0ns);
  }
}

TEST_CASE("metrics can be read from a job, and count it as running", "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1}};
  pool_metrics inside;
  REQUIRE_FALSE(pool.try_post([&] { inside = pool.metrics(); }));
  pool.join();
  CHECK(inside.running_jobs == 1);
  CHECK(inside.active_workers == 1);
  CHECK(inside.admitted == 1);
  CHECK(inside.completed == 0);
}

TEST_CASE("a slot is free, and its job counted, before the handler is called",
          "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  pool_metrics inside;
  pool.async_submit([] {}, [&](std::exception_ptr) { inside = pool.metrics(); });
  pool.join();
  CHECK(inside.completed == 1);
  CHECK(inside.running_jobs == 0);
}

TEST_CASE(
    "every snapshot balances and keeps the bound while jobs pour in, fail, are cancelled and "
    "the pool stops",
    "[contract][metrics]") {
  constexpr int each = 20'000;
  brigade::worker_pool pool{{.threads = 2,
                             .capacity = 7,
                             .on_job_error = [](std::exception_ptr) {},
                             .on_handler_error = [](std::exception_ptr) {}}};
  std::atomic<bool> end{false};
  std::array<snapshot_faults, 2> faults;
  std::vector<std::thread> watchers;
  for (auto& own : faults) {
    watchers.emplace_back([&] { own = watch(pool, end); });
  }
  std::vector<std::thread> submitters;
  for (int s = 0; s != 2; ++s) {
    submitters.emplace_back([&] {
      for (int i = 0; i != each; ++i) {
        static_cast<void>(pool.try_post([i] {
          if (i % 7 == 0) throw 1;
        }));
        if (i % 3 == 0) pool.async_submit([] {}, asio::detached);
        if (i % 5 == 0) {
          asio::cancellation_signal signal;
          std::atomic<bool> told{false};
          pool.async_submit([] {},
                            asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr) {
                              told = true;
                              told.notify_one();
                            }));
          signal.emit(asio::cancellation_type::total);
          told.wait(false);
        }
        if (i == each - each / 8) pool.stop();
      }
    });
  }
  for (auto& thread : submitters) thread.join();
  pool.join();
  end = true;
  for (auto& thread : watchers) thread.join();

  for (auto const& own : faults) {
    CHECK(own.taken > 1);
    CHECK(own.unbalanced == 0);
    CHECK(own.over_bound == 0);
    CHECK(own.shrunk == 0);
    CHECK(own.unlikely == 0);
  }
  auto const last = pool.metrics();
  CHECK(last.queued_jobs + last.running_jobs == 0);
  CHECK(last.completed > 0);
  CHECK(last.failed > 0);
  CHECK(last.rejected.closed > 0);
  CHECK(balances(last));
}

TEST_CASE("the time in each state is told while the pool ends", "[contract][metrics]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2, .name = "ending"}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  CHECK(soon(pool, [](auto const& m) { return m.time_in.running > 0ns; }));
  CHECK(pool.metrics().time_in[pool_state::draining] == 0ns);
  pool.close();
  CHECK(soon(pool, [](auto const& m) { return m.time_in.draining > 1ms; }));
  auto const running = pool.metrics().time_in.running;
  pool.stop();
  CHECK(soon(pool, [](auto const& m) { return m.time_in.cancelling > 1ms; }));
  gate.open();
  pool.join();
  auto const ended = pool.metrics();
  CHECK(ended.name == "ending");
  CHECK(ended.time_in.running == running);
  CHECK(ended.time_in.lame_duck == 0ns);
  CHECK(ended.time_in.draining > 1ms);
  CHECK(ended.time_in.cancelling > 1ms);
  CHECK(soon(pool, [&](auto const& m) { return m.time_in.stopped > ended.time_in.stopped; }));
  CHECK(pool.metrics().time_in.cancelling == ended.time_in.cancelling);
}
