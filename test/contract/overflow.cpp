// caller_runs and drop_oldest.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/balanced.hpp"
#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/verdict_of.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::error_code;
using brigade::overflow;
using brigade::to_error_code;

namespace {

constexpr brigade::submit_options in_caller{.when_full = overflow::caller_runs};
constexpr brigade::submit_options dropping{.when_full = overflow::drop_oldest};

using test::balanced;
using test::verdict_of;

}  // namespace

TEST_CASE("a full pool lets the caller run its job, outside of the bound", "[contract][overflow]") {
  std::atomic<int> job_errors{0};
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .on_job_error = [&](std::exception_ptr) {
                               job_errors.fetch_add(1);
                             }}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::thread::id where;
  CHECK_FALSE(pool.try_post([&] { where = std::this_thread::get_id(); }, in_caller));
  CHECK(where == std::this_thread::get_id());
  CHECK_FALSE(pool.try_post([] { throw std::runtime_error("on purpose"); }, in_caller));
  CHECK(job_errors == 1);
  auto const m = pool.metrics();
  CHECK(m.caller_ran == 2);
  CHECK(m.admitted == 1);
  CHECK(m.rejected.total() == 0);
  CHECK(balanced(m));
}

TEST_CASE("a caller's job completes as any other, and not inside the call",
          "[contract][overflow]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  std::thread::id where;
  int result = 0;
  error_code failure;
  pool.async_submit(
      [&] {
        where = std::this_thread::get_id();
        return 7;
      },
      in_caller, asio::bind_executor(home, [&](std::exception_ptr, int got) { result = got; }));
  CHECK(where == std::this_thread::get_id());
  CHECK(result == 0);
  pool.async_submit([]() -> int { throw std::runtime_error("on purpose"); }, in_caller,
                    asio::bind_executor(
                        home, [&](std::exception_ptr why, int) { failure = to_error_code(why); }));
  asio::cancellation_signal signal;
  bool stop_asked = true;
  pool.async_submit([](std::stop_token stop) { return stop.stop_requested(); }, in_caller,
                    asio::bind_cancellation_slot(
                        signal.slot(), asio::bind_executor(home, [&](std::exception_ptr, bool s) {
                          stop_asked = s;
                        })));
  home.run();
  CHECK(result == 7);
  CHECK(failure == errc::job_failed);
  CHECK_FALSE(stop_asked);
  CHECK(pool.metrics().caller_ran == 3);
}

TEST_CASE("a coroutine cannot be run by its caller", "[contract][overflow]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto const job = []() -> asio::awaitable<void> { co_return; };
  CHECK_THROWS_AS(pool.async_submit(job, in_caller, asio::use_future), std::invalid_argument);
}

TEST_CASE("with room there is no overflow", "[contract][overflow]") {
  brigade::worker_pool pool{{.threads = 1}};
  for (auto const policy : {overflow::caller_runs, overflow::drop_oldest, overflow::wait}) {
    auto const thread = pool.async_submit([] { return std::this_thread::get_id(); },
                                          {.when_full = policy}, asio::use_future)
                            .get();
    CHECK(thread != std::this_thread::get_id());
  }
  CHECK(pool.metrics().caller_ran == 0);
  CHECK(pool.metrics().shed == 0);
}

TEST_CASE("a closed pool is closed for every policy", "[contract][overflow]") {
  brigade::worker_pool pool{{.threads = 1}};
  pool.close();
  CHECK(pool.try_post([] {}, in_caller) == errc::closed);
  CHECK(pool.try_post([] {}, dropping) == errc::closed);
  for (auto const policy : {overflow::caller_runs, overflow::drop_oldest, overflow::wait}) {
    auto refused = pool.async_submit([] {}, {.when_full = policy}, asio::use_future);
    CHECK(verdict_of(refused) == errc::closed);
  }
}

TEST_CASE("the oldest queued job makes way, and is told at once", "[contract][overflow]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 3}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  std::vector<int> shed;
  std::atomic<int> ran{0};
  auto const submit = [&](int who) {
    pool.async_submit([&ran] { ran.fetch_add(1); }, dropping,
                      asio::bind_executor(home, [&, who](std::exception_ptr why) {
                        if (to_error_code(why) == errc::shed) shed.push_back(who);
                      }));
  };
  for (int i = 0; i != 5; ++i) submit(i);
  home.poll();  // while the only worker is stuck
  CHECK(shed == std::vector<int>{0, 1, 2});
  CHECK(pool.metrics().shed == 3);
  CHECK(pool.metrics().queued_jobs == 2);
  CHECK(balanced(pool.metrics()));
  gate.open();
  pool.join();
  home.restart();
  home.run();
  CHECK(ran == 2);
  CHECK(pool.metrics().completed == 3);
}

TEST_CASE("a running job is never dropped", "[contract][overflow]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 2));
  CHECK(pool.try_post([] {}, dropping) == errc::queue_full);
  auto refused = pool.async_submit([] {}, dropping, asio::use_future);
  CHECK(verdict_of(refused) == errc::queue_full);
  CHECK(pool.metrics().shed == 0);
}

TEST_CASE("a cancelled job's shell is not taken for the oldest job", "[contract][overflow]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 3}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] {}));  // keeps the shell behind it in the queue
  asio::cancellation_signal signal;
  asio::io_context home;
  pool.async_submit(
      [] {}, asio::bind_cancellation_slot(signal.slot(),
                                          asio::bind_executor(home, [](std::exception_ptr) {})));
  signal.emit(asio::cancellation_type::terminal);
  home.run();
  REQUIRE_FALSE(pool.try_post([] {}));
  CHECK_FALSE(pool.try_post([] {}, dropping));
  CHECK_FALSE(pool.try_post([] {}, dropping));
  CHECK_FALSE(pool.try_post([] {}, dropping));
  auto const m = pool.metrics();
  CHECK(m.shed == 3);
  CHECK(m.queued_jobs == 2);
  CHECK(balanced(m));
}

TEST_CASE("each job that is dropped makes way for one", "[stress][overflow]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 8}};
  constexpr int submitters = 4;
  constexpr int each = 5'000;
  std::atomic<int> ran{0};
  std::atomic<int> refused{0};
  std::atomic<bool> over{false};
  std::atomic<int> unbalanced{0};
  std::thread watcher([&] {
    while (!over) {
      auto const m = pool.metrics();
      if (!balanced(m) || m.queued_jobs + m.running_jobs > m.capacity) unbalanced.fetch_add(1);
    }
  });
  std::vector<std::thread> threads;
  for (int s = 0; s != submitters; ++s) {
    threads.emplace_back([&] {
      for (int i = 0; i != each; ++i) {
        if (pool.try_post([&] { ran.fetch_add(1); }, dropping)) refused.fetch_add(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  pool.join();
  over = true;
  watcher.join();
  auto const m = pool.metrics();
  CHECK(unbalanced == 0);
  CHECK(m.completed == static_cast<std::uint64_t>(ran.load()));
  CHECK(m.completed + m.shed + m.rejected.total() == static_cast<std::uint64_t>(submitters) * each);
  CHECK(balanced(m));
}
