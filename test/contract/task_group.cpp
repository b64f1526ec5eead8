// Jobs that belong together: awaited, cancelled, bounded.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <brigade/brigade.hpp>

#include "support/balanced.hpp"
#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/counting_allocator.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::overflow;
using brigade::task_group;
using brigade::to_error_code;
using namespace std::chrono_literals;

namespace {

using test::balanced;

bool balanced(brigade::task_group_metrics const& m) {
  return m.submitted ==
         m.jobs + m.refused + m.completed + m.failed + m.cancelled + m.expired + m.shed;
}

/// Counts what handlers were told.
struct told {
  std::atomic<int> good{0};
  std::atomic<int> aborted{0};
  std::atomic<int> other{0};
  auto handler() {
    return [this](std::exception_ptr failure) {
      auto const why = to_error_code(failure);
      (!why ? good : why == asio::error::operation_aborted ? aborted : other).fetch_add(1);
    };
  }
};

std::exception_ptr waited(task_group& group) {
  std::promise<std::exception_ptr> result;
  group.async_wait([&](std::exception_ptr failure) { result.set_value(failure); });
  return result.get_future().get();
}

/// How many are inside at once, at the most.
struct width {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  void enter() {
    auto const inside = now.fetch_add(1) + 1;
    auto seen = most.load();
    while (seen < inside && !most.compare_exchange_weak(seen, inside)) {
    }
  }
  void leave() { now.fetch_sub(1); }
};

void throws() { throw std::runtime_error("the job's own"); }

}  // namespace

TEST_CASE("a group without jobs has nothing to wait for", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  task_group group{pool};
  asio::io_context home;
  told waits;
  group.async_wait(asio::bind_executor(home, waits.handler()));
  CHECK(waits.good == 0);  // not inside the call
  home.run();
  CHECK(waits.good == 1);
  CHECK(waited(group) == nullptr);
}

TEST_CASE("a wait ends when every job's slot is free and its handler has been called",
          "[contract][task_group]") {
  for (int round = 0; round != 50; ++round) {
    brigade::worker_pool pool{{.threads = 4, .capacity = 100}};
    task_group group{pool};
    told jobs;
    for (int i = 0; i != 100; ++i) group.async_submit([] {}, jobs.handler());
    CHECK(waited(group) == nullptr);
    CHECK(jobs.good == 100);
    CHECK(pool.metrics().completed == 100);
    CHECK(group.metrics().completed == 100);
    CHECK(group.metrics().jobs == 0);
  }
}

TEST_CASE("jobs and handlers may add jobs to the group that is awaited", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 2}};
  task_group group{pool};
  std::atomic<int> ran{0};
  std::function<void(int)> tree = [&](int depth) {
    group.async_submit(
        [&, depth] {
          ran.fetch_add(1);
          if (depth == 0) return;
          tree(depth - 1);
          tree(depth - 1);
        },
        asio::detached);
  };
  std::function<void(int)> chain = [&](int left) {
    group.async_submit([&] { ran.fetch_add(1); },
                       [&, left](std::exception_ptr) {
                         if (left != 1) chain(left - 1);
                       });
  };
  SECTION("jobs") {
    tree(6);
    CHECK(waited(group) == nullptr);
    CHECK(ran == 127);
  }
  SECTION("handlers") {
    chain(100);
    CHECK(waited(group) == nullptr);
    CHECK(ran == 100);
  }
}

TEST_CASE("every kind of job, with every token, is of the group", "[contract][task_group]") {
  using namespace asio::experimental::awaitable_operators;
  brigade::worker_pool pool{{.threads = 2}};
  asio::io_context home;
  task_group group{pool, {.max_running = 1}};
  auto const function = [] { return 1; };
  auto const stoppable = [](std::stop_token) { return 2; };
  auto const coroutine = []() -> asio::awaitable<int> {
    co_await asio::post(asio::use_awaitable);
    co_return 3;
  };
  auto const stoppable_coroutine = [](std::stop_token) -> asio::awaitable<std::unique_ptr<int>> {
    co_await asio::post(asio::use_awaitable);
    co_return std::make_unique<int>(4);
  };
  CHECK(group.async_submit(function, asio::use_future).get() == 1);
  CHECK(group.async_submit(coroutine, {.name = "three"}, asio::use_future).get() == 3);
  int sum = 0;
  group.async_submit(stoppable,
                     asio::bind_executor(home, [&](std::exception_ptr, int r) { sum += r; }));
  group.async_submit(
      stoppable_coroutine,
      asio::bind_executor(asio::make_strand(home), [&](std::exception_ptr, auto r) { sum += *r; }));
  auto deferred = group.async_submit(function, asio::deferred);
  CHECK(group.metrics().submitted == 4);  // not started yet
  std::move(deferred)(asio::bind_executor(home, [&](std::exception_ptr, int r) { sum += r; }));
  group.async_submit(function, asio::detached);
  asio::any_completion_handler<void(std::exception_ptr, int)> erased =
      asio::bind_executor(home, [&](std::exception_ptr, int r) { sum += r; });
  group.async_submit(function, std::move(erased));
  auto const body = [&]() -> asio::awaitable<void> {
    sum += co_await group.async_submit(coroutine, asio::use_awaitable);
    auto const tuple = co_await group.async_submit(function, asio::as_tuple(asio::use_awaitable));
    sum += std::get<1>(tuple);
    auto const both = co_await (group.async_submit(function, asio::use_awaitable) &&
                                group.async_submit(coroutine, asio::use_awaitable));
    sum += std::get<0>(both) + std::get<1>(both);
    co_await group.async_wait(asio::use_awaitable);
    sum += 100;
  };
  asio::co_spawn(home, body(), asio::detached);
  asio::experimental::make_parallel_group(group.async_submit(function, asio::deferred),
                                          group.async_submit(coroutine, asio::deferred))
      .async_wait(asio::experimental::wait_for_all(),
                  asio::bind_executor(home, [&](auto, std::exception_ptr, int a, std::exception_ptr,
                                                int b) { sum += a + b; }));
  home.run();
  CHECK(sum == 2 + 4 + 1 + 1 + 3 + 1 + 1 + 3 + 100 + 1 + 3);
  CHECK_NOTHROW(group.async_wait(asio::use_future).get());
  CHECK(group.metrics().completed == group.metrics().submitted);
  CHECK(pool.metrics().completed == group.metrics().submitted);
}

TEST_CASE("a job's memory comes from its handler's allocator and is free before the handler",
          "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  task_group group{pool, {.max_running = 1}};
  test::memory_count memory;
  std::promise<std::ptrdiff_t> live;
  group.async_submit(
      [] {}, asio::bind_allocator(test::counting_allocator<char>(memory),
                                  [&](std::exception_ptr) { live.set_value(memory.live); }));
  CHECK(live.get_future().get() == 0);
  CHECK(memory.allocations > 0);
}

TEST_CASE("the result of a wait is the first failure", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  task_group group{pool};
  group.async_submit([] {}, asio::detached);
  group.async_submit(throws, asio::detached);
  group.async_submit([] { throw 7; }, asio::detached);
  group.async_submit([] {}, asio::detached);
  CHECK_THROWS_WITH(group.async_wait(asio::use_future).get(), "the job's own");
  CHECK(group.metrics().completed == 2);
  CHECK(group.metrics().failed == 2);
  CHECK(waited(group) == nullptr);  // it has been told
}

TEST_CASE("all that wait at the same time are told the same", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  task_group group{pool};
  group.async_submit(
      [&] {
        gate.wait();
        throws();
      },
      asio::detached);
  auto first = group.async_wait(asio::use_future);
  auto second = group.async_wait(asio::use_future);
  gate.open();
  CHECK_THROWS_WITH(first.get(), "the job's own");
  CHECK_THROWS_WITH(second.get(), "the job's own");
}

TEST_CASE("a job that expired is a failure, one that was refused is not",
          "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  task_group group{pool};
  std::promise<std::exception_ptr> job;
  SECTION("expired") {
    group.async_submit([] {}, {.start_by = brigade::clock::now()},
                       [&](std::exception_ptr why) { job.set_value(why); });
    // Told with the only worker stuck: the wait comes by the control thread.
    CHECK_THROWS_AS(group.async_wait(asio::use_future).get(), boost::system::system_error);
    CHECK(group.metrics().expired == 1);
    gate.open();
    CHECK(to_error_code(job.get_future().get()) == errc::expired);
  }
  SECTION("shed") {
    group.async_submit([] {}, asio::detached);
    CHECK_FALSE(pool.try_post([] {}, {.when_full = overflow::drop_oldest}));
    CHECK(group.metrics().shed == 1);
    gate.open();
    CHECK(to_error_code(waited(group)) == errc::shed);
  }
  SECTION("refused") {
    REQUIRE_FALSE(pool.try_post([] {}));
    auto refused = group.async_submit([] {}, asio::use_future);
    CHECK_THROWS(refused.get());
    pool.close();
    auto closed = group.async_submit([] {}, asio::use_future);
    CHECK_THROWS(closed.get());
    CHECK(group.metrics().refused == 2);
    gate.open();
    CHECK(waited(group) == nullptr);
  }
  pool.join();
  CHECK(balanced(pool.metrics()));
  CHECK(balanced(group.metrics()));
}

TEST_CASE("a cancelled group ends what waits and is queued, and stops what runs",
          "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 4}};
  auto const bound = GENERATE(std::size_t{0}, std::size_t{1});
  task_group group{pool, {.max_running = bound}};
  std::atomic<bool> ran{false};
  std::atomic<bool> runs{false};
  told jobs;
  auto const stoppable = [&](std::stop_token stop) {
    runs = true;
    while (!stop.stop_requested()) std::this_thread::yield();
  };
  auto const coroutine = [&]() -> asio::awaitable<void> {
    ran = true;
    co_return;
  };
  group.async_submit(stoppable, jobs.handler());
  REQUIRE(test::wait_until([&] { return runs.load(); }));
  group.async_submit([&] { ran = true; }, jobs.handler());
  group.async_submit([&](std::stop_token) { ran = true; }, jobs.handler());
  group.async_submit(coroutine, jobs.handler());
  group.async_submit([&] { ran = true; }, {.when_full = overflow::wait}, jobs.handler());
  CHECK(group.metrics().jobs == 5);
  group.cancel();
  CHECK(to_error_code(waited(group)) == asio::error::operation_aborted);
  CHECK(test::wait_until([&] { return jobs.good + jobs.aborted == 5; }));
  CHECK(jobs.good == 1);  // it ran, and returned
  CHECK_FALSE(ran);
  CHECK(group.metrics().cancelled == 4);
  CHECK(balanced(group.metrics()));
  auto const m = pool.metrics();
  CHECK(m.cancelled == 3);
  CHECK(m.rejected.cancelled == 1);
  CHECK(m.queued_jobs + m.running_jobs == 0);
  CHECK(balanced(m));
}

TEST_CASE("a cancelled group starts no job until it has been waited for",
          "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 8}};
  task_group group{pool, {.max_running = GENERATE(std::size_t{0}, std::size_t{1})}};
  std::atomic<int> ran{0};
  group.cancel();
  told jobs;
  for (int i = 0; i != 200; ++i) {
    group.async_submit([&] { ran.fetch_add(1); }, {.when_full = overflow::wait}, jobs.handler());
  }
  CHECK(to_error_code(waited(group)) == asio::error::operation_aborted);
  CHECK(ran == 0);
  group.async_submit([&] { ran.fetch_add(1); }, jobs.handler());
  CHECK(waited(group) == nullptr);
  CHECK(ran == 1);
}

TEST_CASE("a group whose jobs keep adding jobs can be cancelled", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 2}};
  task_group group{pool};
  std::atomic<int> ran{0};
  std::function<void()> again = [&] {
    group.async_submit(
        [&] {
          ran.fetch_add(1);
          again();
        },
        asio::detached);
  };
  again();
  REQUIRE(test::wait_until([&] { return ran > 100; }));
  group.cancel();
  CHECK(to_error_code(waited(group)) == asio::error::operation_aborted);
}

TEST_CASE("the first failure cancels the rest", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  task_group group{pool, {.cancel_on_failure = true}};
  std::atomic<bool> ran{false};
  told jobs;
  group.async_submit(
      [&] {
        gate.wait();
        throws();
      },
      jobs.handler());
  for (int i = 0; i != 10; ++i) group.async_submit([&] { ran = true; }, jobs.handler());
  gate.open();
  REQUIRE(test::wait_until([&] { return jobs.other == 1; }));
  group.async_submit([&] { ran = true; }, jobs.handler());  // the rest is also what comes later
  CHECK_THROWS_WITH(group.async_wait(asio::use_future).get(), "the job's own");
  pool.join();
  CHECK_FALSE(ran);
  CHECK(jobs.aborted == 11);
  CHECK(balanced(group.metrics()));
}

TEST_CASE("a wait can be cancelled, and the jobs go on", "[contract][task_group]") {
  auto const type = GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::partial,
                             asio::cancellation_type::total);
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  asio::io_context home;
  asio::cancellation_signal signal;
  task_group group{pool};
  told jobs;
  told waits;
  group.async_submit([&] { gate.wait(); }, jobs.handler());
  group.async_wait(
      asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(home, waits.handler())));
  signal.emit(asio::cancellation_type::none);
  signal.emit(type);
  CHECK(waits.aborted == 0);  // not inside emit()
  home.run();
  CHECK(waits.aborted == 1);
  gate.open();
  CHECK(waited(group) == nullptr);
  signal.emit(type);  // harmless
  CHECK(jobs.good == 1);
}

TEST_CASE("a wait keeps the context of its handler running", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  asio::io_context home;
  told waits;
  {
    task_group group{pool};
    group.async_submit([&] { gate.wait(); }, asio::detached);
    group.async_wait(asio::bind_executor(home, waits.handler()));
  }  // and the group may go
  home.poll();
  CHECK_FALSE(home.stopped());
  gate.open();
  home.run();
  CHECK(waits.good == 1);
}

TEST_CASE("no more jobs of a group run at once than its bound, and they hold up nobody",
          "[contract][task_group]") {
  auto const bound = GENERATE(1, 2, 3);
  brigade::worker_pool pool{{.threads = 4}};
  test::blocker gate;
  task_group group{pool, {.max_running = static_cast<std::size_t>(bound)}};
  width jobs;
  for (int i = 0; i != 40; ++i) {
    group.async_submit(
        [&] {
          jobs.enter();
          gate.wait();
          jobs.leave();
        },
        asio::detached);
  }
  REQUIRE(test::wait_until(
      [&] { return group.metrics().held_back == static_cast<std::size_t>(40 - bound); }));
  CHECK(jobs.now == bound);
  CHECK(group.metrics().running == static_cast<std::size_t>(bound));
  CHECK(pool.metrics().queued_jobs == static_cast<std::size_t>(40 - bound));
  CHECK(pool.metrics().running_jobs == static_cast<std::size_t>(bound));
  // Others go past them.
  CHECK(pool.async_submit([] { return 7; }, asio::use_future).get() == 7);
  gate.open();
  CHECK(waited(group) == nullptr);
  CHECK(jobs.most == bound);
  CHECK(balanced(pool.metrics()));
  CHECK(pool.metrics().completed == 41);
}

TEST_CASE("a bound counts coroutines until they have ended", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 2}};
  task_group group{pool, {.max_running = 2}};
  width inside;
  auto const job = [&]() -> asio::awaitable<void> {
    inside.enter();
    for (int i = 0; i != 5; ++i) co_await asio::post(asio::use_awaitable);
    inside.leave();
  };
  for (int i = 0; i != 100; ++i) group.async_submit(job, asio::detached);
  CHECK(waited(group) == nullptr);
  CHECK(inside.most <= 2);
  CHECK(pool.metrics().completed == 100);
}

TEST_CASE("jobs that were held back run in the order in which they came, before younger ones",
          "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  task_group group{pool, {.max_running = 1}};
  asio::steady_timer never{pool.get_executor(), asio::steady_timer::time_point::max()};
  auto const first = [&]() -> asio::awaitable<void> {
    co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
  };
  group.async_submit(first, asio::detached);
  std::vector<int> order;  // touched by the one worker only
  for (int i = 0; i != 5; ++i) {
    group.async_submit([&order, i] { order.push_back(i); }, asio::detached);
  }
  REQUIRE(test::wait_until([&] { return group.metrics().held_back == 5; }));
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([&order] { order.push_back(100); }));
  asio::post(pool.get_executor(), [&] { never.cancel(); });
  gate.open();
  CHECK(waited(group) == nullptr);
  pool.join();
  // The one in the queue may have its turn while the first is being ended.
  std::erase(order, 100);
  CHECK(order == std::vector{0, 1, 2, 3, 4});
}

TEST_CASE("a job that is held back can be ended in every way", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 3}};
  test::blocker gate;
  task_group group{pool, {.max_running = 1}};
  group.async_submit([&] { gate.wait(); }, asio::detached);
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  std::atomic<bool> ran{false};
  asio::cancellation_signal signal;
  std::promise<std::exception_ptr> end;
  auto handler = asio::bind_cancellation_slot(signal.slot(),
                                              [&](std::exception_ptr why) { end.set_value(why); });
  brigade::submit_options options;
  bool const expires = GENERATE(false, true);
  if (expires) options.start_by = brigade::clock::now() + 30ms;
  group.async_submit([&] { ran = true; }, options, std::move(handler));
  brigade::error_code expected = asio::error::operation_aborted;
  if (expires) {
    expected = errc::expired;
  } else {
    REQUIRE(test::wait_until([&] { return group.metrics().held_back == 1; }));
    CHECK(pool.metrics().queued_jobs == 1);
    SECTION("by its slot") { signal.emit(asio::cancellation_type::total); }
    SECTION("with its group") { group.cancel(); }
    SECTION("with the pool") { pool.stop(); }
    SECTION("by a newer one, for which it is the oldest that is queued") {
      group.async_submit([&] { ran = false; }, asio::detached);
      REQUIRE(test::wait_until([&] { return group.metrics().held_back == 2; }));
      CHECK_FALSE(pool.try_post([] {}, {.when_full = overflow::drop_oldest}));
      expected = errc::shed;
    }
  }
  // At once, with the member that it waits for still running.
  CHECK(to_error_code(end.get_future().get()) == expected);
  CHECK(gate.waiting() == 1);
  gate.open();
  static_cast<void>(waited(group));
  pool.join();
  CHECK_FALSE(ran);
  CHECK(group.metrics().held_back == 0);
  CHECK(balanced(group.metrics()));
  CHECK(balanced(pool.metrics()));
  CHECK(pool.metrics().state == brigade::pool_state::stopped);
}

TEST_CASE("jobs that are held back run while the pool drains", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 2}};
  test::blocker gate;
  task_group group{pool, {.max_running = 1}};
  std::atomic<int> ran{0};
  group.async_submit([&] { gate.wait(); }, asio::detached);
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  for (int i = 0; i != 20; ++i) group.async_submit([&] { ran.fetch_add(1); }, asio::detached);
  REQUIRE(test::wait_until([&] { return group.metrics().held_back == 20; }));
  auto drained = pool.async_drain(asio::use_future);
  CHECK(drained.wait_for(0s) == std::future_status::timeout);
  gate.open();
  CHECK_NOTHROW(drained.get());
  CHECK(ran == 20);
  CHECK(waited(group) == nullptr);
}

TEST_CASE("stop() ends ten thousand jobs that are held back", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 20'000}};
  test::blocker gate;
  task_group group{pool, {.max_running = 1}};
  told jobs;
  group.async_submit([&] { gate.wait(); }, jobs.handler());
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  for (int i = 0; i != 10'000; ++i) group.async_submit([] {}, jobs.handler());
  REQUIRE(test::wait_until([&] { return group.metrics().held_back == 10'000; }));
  pool.stop();
  CHECK(pool.metrics().cancelled == 10'000);
  gate.open();
  pool.join();
  CHECK(test::wait_until([&] { return jobs.aborted == 10'000 && jobs.good == 1; }));
}

TEST_CASE("caller_runs keeps to the bound of the group", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  task_group bounded{pool, {.max_running = 1}};
  task_group open{pool};
  bounded.async_submit([&] { gate.wait(); }, asio::detached);
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  std::atomic<int> ran{0};
  brigade::submit_options const here{.when_full = overflow::caller_runs};
  auto refused = bounded.async_submit([&] { ran.fetch_add(1); }, here, asio::use_future);
  CHECK_THROWS(refused.get());
  CHECK(ran == 0);
  auto done = open.async_submit([&] { ran.fetch_add(1); }, here, asio::use_future);
  CHECK_NOTHROW(done.get());
  CHECK(ran == 1);
  CHECK_THROWS_WITH(open.async_submit(throws, here, asio::use_future).get(), "the job's own");
  CHECK_THROWS_WITH(open.async_wait(asio::use_future).get(), "the job's own");
  open.cancel();
  auto aborted = open.async_submit([&] { ran.fetch_add(1); }, here, asio::use_future);
  CHECK_THROWS(aborted.get());
  CHECK(ran == 1);
  CHECK(open.metrics().cancelled == 1);
  gate.open();
  pool.join();
  CHECK(pool.metrics().caller_ran == 2);
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("a job in a lower lane is held back in its lane", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 2, .lanes = {{}, {.capacity = 10}}}};
  test::blocker gate;
  task_group group{pool, {.max_running = 1}};
  std::atomic<int> ran{0};
  group.async_submit([&] { gate.wait(); }, asio::detached);
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  for (int i = 0; i != 5; ++i) {
    group.async_submit([&] { ran.fetch_add(1); }, {.lane = 1}, asio::detached);
  }
  REQUIRE(test::wait_until([&] { return group.metrics().held_back == 5; }));
  CHECK(pool.metrics().lanes[1].queued_jobs == 5);
  CHECK_THROWS_AS(group.async_submit([] {}, {.lane = 2}, asio::detached), std::out_of_range);
  gate.open();
  CHECK(waited(group) == nullptr);
  CHECK(ran == 5);
  CHECK(pool.metrics().lanes[1].completed == 5);
}

TEST_CASE("the pool may be destroyed before the group", "[contract][task_group]") {
  std::optional<task_group> group;
  told jobs;
  told waits;
  test::blocker gate;
  {
    brigade::worker_pool pool{{.threads = 2}};
    group.emplace(pool, brigade::task_group_options{.max_running = 1});
    auto const stoppable = [](std::stop_token stop) {
      while (!stop.stop_requested()) std::this_thread::yield();
    };
    group->async_submit(stoppable, jobs.handler());
    REQUIRE(test::wait_until([&] { return group->metrics().running == 1; }));
    for (int i = 0; i != 10; ++i) group->async_submit([] {}, jobs.handler());
    REQUIRE(test::wait_until([&] { return group->metrics().held_back == 10; }));
    group->async_wait(waits.handler());
  }
  CHECK(test::wait_until([&] { return waits.aborted == 1; }));
  CHECK(test::wait_until([&] { return jobs.good == 1 && jobs.aborted == 10; }));
  auto refused = group->async_submit([] {}, asio::use_future);
  CHECK_THROWS_AS(refused.get(), boost::system::system_error);
  CHECK(waited(*group) == nullptr);
  CHECK(balanced(group->metrics()));
}

TEST_CASE("a group may be destroyed by its own job or handler", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto group = std::make_unique<task_group>(pool, brigade::task_group_options{.max_running = 1});
  std::atomic<int> ran{0};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  SECTION("job") {
    group->async_submit([&] { group.reset(); }, asio::detached);
  }
  SECTION("handler") {
    group->async_submit([] {}, [&](std::exception_ptr) { group.reset(); });
  }
  group->async_submit([&] { ran.fetch_add(1); }, asio::detached);
  gate.open();
  pool.join();
  CHECK(ran == 1);
  CHECK_FALSE(group);
}

TEST_CASE("a handler that throws leaves its group all the same", "[contract][task_group]") {
  std::atomic<int> errors{0};
  brigade::worker_pool pool{
      {.threads = 1, .on_handler_error = [&](std::exception_ptr) { errors.fetch_add(1); }}};
  task_group group{pool, {.max_running = 1}};
  for (int i = 0; i != 5; ++i) {
    group.async_submit([] {}, [](std::exception_ptr) { throw std::runtime_error("handler"); });
  }
  CHECK(waited(group) == nullptr);
  pool.join();
  CHECK(errors == 5);
}

TEST_CASE("a submission that throws leaves no job in the group", "[contract][task_group]") {
  struct throws_when_moved {
    bool* armed;
    explicit throws_when_moved(bool& a) : armed(&a) {}
    throws_when_moved(throws_when_moved const& other) : armed(other.armed) {
      if (*armed) throw std::runtime_error("moved");
    }
    void operator()() {}
  };
  brigade::worker_pool pool{{.threads = 1}};
  task_group group{pool, {.max_running = 1}};
  bool armed = false;
  throws_when_moved const job{armed};
  armed = true;
  CHECK_THROWS_WITH(group.async_submit(job, asio::detached), "moved");
  CHECK(group.metrics().submitted == 0);
  CHECK(waited(group) == nullptr);
  CHECK(pool.metrics().admitted == 0);
}

TEST_CASE("a deferred submission outlives its group", "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto group = std::make_unique<task_group>(pool);
  auto operation = group->async_submit([] { return 7; }, asio::deferred);
  group.reset();
  std::promise<int> result;
  std::move(operation)([&](std::exception_ptr, int r) { result.set_value(r); });
  CHECK(result.get_future().get() == 7);
}

TEST_CASE("a group works on a host's context", "[contract][task_group]") {
  asio::io_context host;
  brigade::worker_pool pool{host.get_executor(), {.threads = 2}};
  task_group group{pool, {.max_running = 1}};
  int ran = 0;
  bool told_of_wait = false;
  for (int i = 0; i != 20; ++i) group.async_submit([&] { ++ran; }, asio::detached);
  group.async_wait([&](std::exception_ptr failure) { told_of_wait = !failure; });
  host.run();
  CHECK(ran == 20);
  CHECK(told_of_wait);
}

TEST_CASE("a worker that helps does not run more of a group than its bound",
          "[contract][task_group]") {
  brigade::worker_pool pool{{.threads = 1}};
  task_group group{pool, {.max_running = 1}};
  std::atomic<int> ran{0};
  std::future<void> other;
  group.async_submit(
      [&] {
        for (int i = 0; i != 3; ++i) group.async_submit([&] { ran.fetch_add(1); }, asio::detached);
        other = pool.async_submit([] {}, asio::use_future);
        pool.wait(other);  // comes by the three, and leaves them
        CHECK(ran == 0);
      },
      asio::detached);
  CHECK(waited(group) == nullptr);
  CHECK(ran == 3);
}
