// async_shutdown: the phases, their times, and what the report says.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <memory>
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
using brigade::errc;
using brigade::error_code;
using brigade::pool_state;
using brigade::shutdown_options;
using brigade::shutdown_report;
using namespace std::chrono_literals;

TEST_CASE("an idle pool is stopped at once", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 2}};
  auto const report = pool.async_shutdown({}, asio::use_future).get();
  CHECK(report.reached == pool_state::stopped);
  CHECK(report.signal == 0);
  CHECK(report.abandoned == 0);
  CHECK(report.exit_code() == 0);
  CHECK(pool.state() == pool_state::stopped);
  CHECK(pool.try_post([] {}) == errc::closed);
}

TEST_CASE("what was accepted is done before the pool is stopped", "[contract][shutdown]") {
  brigade::worker_pool pool{
      {.threads = 2, .capacity = 64, .on_job_error = [](std::exception_ptr) {}}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 2));
  std::atomic<int> ran{0};
  for (int i = 0; i != 20; ++i) REQUIRE_FALSE(pool.try_post([&] { ran.fetch_add(1); }));
  REQUIRE_FALSE(pool.try_post([] { throw std::runtime_error("on purpose"); }));
  auto ended = pool.async_shutdown({}, asio::use_future);
  REQUIRE(test::wait_until([&] { return pool.state() == pool_state::draining; }));
  CHECK(pool.try_post([] {}) == errc::closed);
  gate.open();
  auto const report = ended.get();
  CHECK(ran == 20);
  CHECK(report.reached == pool_state::stopped);
  CHECK(report.completed == 22);
  CHECK(report.failed == 1);
  CHECK(report.cancelled == 0);
  CHECK(report.exit_code() == 0);
}

TEST_CASE("a lame duck still admits", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto ended = pool.async_shutdown({.lame_duck = 24h}, asio::use_future);
  REQUIRE(test::wait_until([&] { return pool.state() == pool_state::lame_duck; }));
  CHECK(pool.async_submit([] { return 7; }, asio::use_future).get() == 7);
  pool.close();  // does not wait for the phase to end
  auto const report = ended.get();
  CHECK(report.reached == pool_state::stopped);
  CHECK(report.completed == 1);
}

TEST_CASE("a lame duck's time is followed by the drain", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto const report = pool.async_shutdown({.lame_duck = 20ms}, asio::use_future).get();
  CHECK(report.reached == pool_state::stopped);
  CHECK(report.elapsed >= 20ms);
}

TEST_CASE("past the drain's time queued jobs are cancelled and running ones asked to stop",
          "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 16}};
  std::atomic<bool> running{false};
  auto stopped = pool.async_submit(
      [&](std::stop_token token) {
        running = true;
        while (!token.stop_requested()) std::this_thread::yield();
        return 5;
      },
      asio::use_future);
  REQUIRE(test::wait_until([&] { return running.load(); }));
  auto queued = pool.async_submit([] {}, asio::use_future);
  REQUIRE_FALSE(pool.try_post([] {}));
  auto const report = pool.async_shutdown({.drain = 10ms, .cancel = 24h}, asio::use_future).get();
  CHECK(stopped.get() == 5);
  CHECK_THROWS_AS(queued.get(), boost::system::system_error);
  CHECK(report.reached == pool_state::stopped);
  CHECK(report.completed == 1);
  CHECK(report.cancelled == 2);
  CHECK(report.cancelled_before == 0);
  CHECK(report.exit_code() == 1);
}

TEST_CASE("past the last time a job is abandoned, and nobody waits for it",
          "[contract][shutdown]") {
  test::blocker gate;
  std::weak_ptr<int> alive;
  {
    auto const held = std::make_shared<int>(1);
    alive = held;
    brigade::worker_pool pool{{.threads = 2, .capacity = 16}};
    REQUIRE_FALSE(pool.try_post([&gate, held] { gate.wait(); }));
    REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
    REQUIRE(gate.occupy(pool, 1));
    // On the pool, whose workers are stuck: it is told all the same.
    std::promise<void> cancelled;
    pool.async_submit([] {}, [&](std::exception_ptr) { cancelled.set_value(); });
    std::promise<shutdown_report> told;
    pool.async_shutdown({.drain = 5ms, .cancel = 5ms},
                        [&](error_code result, shutdown_report report) {
                          CHECK_FALSE(result);
                          told.set_value(report);
                        });
    auto const report = told.get_future().get();
    cancelled.get_future().get();
    CHECK(report.reached == pool_state::cancelling);
    CHECK(report.abandoned == 2);
    CHECK(report.cancelled == 1);
    CHECK(report.exit_code() == 1);
    pool.join();
    pool.join();
    CHECK(pool.state() == pool_state::cancelling);
    CHECK(gate.waiting() == 2);
  }
  CHECK_FALSE(alive.expired());  // the pool is gone, the job is not
  gate.open();
  CHECK(test::wait_until([&] { return alive.expired(); }));
}

TEST_CASE("with one worker stuck the handlers that are due are called by the others",
          "[contract][shutdown]") {
  for (int round = 0; round != 20; ++round) {
    test::blocker gate;
    brigade::worker_pool pool{{.threads = 3, .capacity = 64}};
    REQUIRE(gate.occupy(pool, 1));
    std::atomic<int> told{0};
    auto ended = pool.async_shutdown({.drain = 1ms, .cancel = 1ms}, asio::use_future);
    for (int i = 0; i != 40; ++i) {
      pool.async_submit([] {}, [&](std::exception_ptr) { told.fetch_add(1); });
    }
    // The stuck one; and what the two others had just begun when the millisecond was over.
    auto const abandoned = ended.get().abandoned;
    CHECK(abandoned >= 1);
    CHECK(abandoned <= 3);
    pool.join();
    CHECK(test::wait_until([&] { return told == 40; }));
  }
}

TEST_CASE("a handler that is stuck behind a stuck job does not keep join() either",
          "[contract][shutdown]") {
  test::blocker gate;
  brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
  REQUIRE(gate.occupy(pool, 1));
  pool.async_submit([] {}, [&](std::exception_ptr) { gate.wait(); });
  CHECK(pool.async_shutdown({.drain = 1ms, .cancel = 1ms}, asio::use_future).get().abandoned == 1);
  pool.join();
  CHECK(test::wait_until([&] { return gate.waiting() == 2; }));
}

TEST_CASE("an abandoned job that ends after all is counted, and its handler told",
          "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::atomic<bool> go{false};
  std::atomic<bool> started{false};
  std::promise<int> told;
  pool.async_submit(
      [&] {
        started = true;
        go.wait(false);
        return 7;
      },
      [&](std::exception_ptr, int result) { told.set_value(result); });
  REQUIRE(test::wait_until([&] { return started.load(); }));
  CHECK(pool.async_shutdown({.drain = 1ms, .cancel = 1ms}, asio::use_future).get().abandoned == 1);
  pool.join();
  go = true;
  go.notify_all();
  CHECK(told.get_future().get() == 7);
  CHECK(test::wait_until([&] { return pool.state() == pool_state::stopped; }));
}

TEST_CASE("a shutdown follows who closes or stops the pool by hand", "[contract][shutdown]") {
  test::blocker gate;
  SECTION("close() ends the lame duck") {
    brigade::worker_pool pool{{.threads = 1}};
    REQUIRE(gate.occupy(pool, 1));
    auto ended =
        pool.async_shutdown({.lame_duck = 24h, .drain = 1ms, .cancel = 1ms}, asio::use_future);
    REQUIRE(test::wait_until([&] { return pool.state() == pool_state::lame_duck; }));
    pool.close();
    CHECK(ended.get().abandoned == 1);
  }
  SECTION("stop() ends the drain") {
    brigade::worker_pool pool{{.threads = 1}};
    REQUIRE(gate.occupy(pool, 1));
    auto ended = pool.async_shutdown({.drain = 24h, .cancel = 1ms}, asio::use_future);
    pool.stop();
    CHECK(ended.get().abandoned == 1);
  }
  SECTION("what was stopped before has only the last time") {
    brigade::worker_pool pool{{.threads = 1}};
    REQUIRE(gate.occupy(pool, 1));
    pool.stop();
    CHECK(pool.async_shutdown({.lame_duck = 24h, .drain = 24h, .cancel = 1ms}, asio::use_future)
              .get()
              .abandoned == 1);
  }
}

TEST_CASE("a thread that waits in join() is let go when the jobs are given up",
          "[contract][shutdown]") {
  test::blocker gate;
  brigade::worker_pool pool{{.threads = 1}};
  REQUIRE(gate.occupy(pool, 1));
  std::atomic<bool> joining{false};
  std::thread other([&] {
    joining = true;
    pool.join();
  });
  REQUIRE(test::wait_until([&] { return joining.load(); }));
  auto const report = pool.async_shutdown({.drain = 1ms, .cancel = 1ms}, asio::use_future).get();
  other.join();
  CHECK(report.abandoned == 1);
}

TEST_CASE("a coroutine that does not come back is abandoned", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::io_context elsewhere;
  asio::steady_timer never{elsewhere, asio::steady_timer::time_point::max()};
  std::atomic<bool> started{false};
  auto const deaf = [&]() -> asio::awaitable<void> {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    started = true;
    co_await never.async_wait(asio::use_awaitable);
  };
  pool.async_submit(deaf, asio::detached);
  REQUIRE(test::wait_until([&] { return started.load(); }));
  auto const report = pool.async_shutdown({.drain = 1ms, .cancel = 1ms}, asio::use_future).get();
  CHECK(report.reached == pool_state::cancelling);
  CHECK(report.abandoned == 1);
  pool.join();
  never.cancel();
  elsewhere.run();
  CHECK(test::wait_until([&] { return pool.state() == pool_state::stopped; }));
}

TEST_CASE("a job may shut its own pool down", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::promise<shutdown_report> told;
  REQUIRE_FALSE(pool.try_post([&] {
    pool.async_shutdown({},
                        [&](error_code, shutdown_report const& report) { told.set_value(report); });
  }));
  CHECK(told.get_future().get().completed == 1);
}

TEST_CASE("a job that waits for its own pool's end is abandoned, not waited for",
          "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::promise<std::uint64_t> abandoned;
  REQUIRE_FALSE(pool.try_post([&] {
    abandoned.set_value(
        pool.async_shutdown({.drain = 1ms, .cancel = 1ms}, asio::use_future).get().abandoned);
  }));
  CHECK(abandoned.get_future().get() == 1);
}

TEST_CASE("a handler of a shutdown that throws is reported, and others are told",
          "[contract][shutdown]") {
  std::atomic<int> reported{0};
  brigade::worker_pool pool{
      {.threads = 1, .on_handler_error = [&](std::exception_ptr) { reported.fetch_add(1); }}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  pool.async_shutdown(
      {}, [](error_code, shutdown_report const&) { throw std::runtime_error("on purpose"); });
  auto second = pool.async_shutdown({}, asio::use_future);
  gate.open();
  CHECK(second.get().reached == pool_state::stopped);
  CHECK(test::wait_until([&] { return reported == 1; }));
}

TEST_CASE("a second caller joins the first, a later one is told at once", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto first = pool.async_shutdown({}, asio::use_future);
  auto second = pool.async_shutdown({.drain = 0ms, .cancel = 0ms}, asio::use_future);
  REQUIRE(test::wait_until([&] { return pool.state() == pool_state::draining; }));
  gate.open();
  CHECK(first.get().reached == pool_state::stopped);
  CHECK(second.get().abandoned == 0);
  CHECK(pool.async_shutdown({}, asio::use_future).get().completed == 1);
}

TEST_CASE("stop() in the middle of a drain ends the shutdown", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] {}));
  auto ended = pool.async_shutdown({.drain = 24h}, asio::use_future);
  pool.stop();
  gate.open();
  auto const report = ended.get();
  CHECK(report.reached == pool_state::stopped);
  CHECK(report.cancelled == 1);
}

TEST_CASE("what was cancelled before the shutdown is not its fault", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::cancellation_signal signal;
  std::promise<void> told;
  pool.async_submit([] {}, asio::bind_cancellation_slot(
                               signal.slot(), [&](std::exception_ptr) { told.set_value(); }));
  signal.emit(asio::cancellation_type::terminal);
  gate.open();
  told.get_future().get();
  auto const report = pool.async_shutdown({}, asio::use_future).get();
  CHECK(report.cancelled == 1);
  CHECK(report.cancelled_before == 1);
  CHECK(report.exit_code() == 0);
}

TEST_CASE("a cancelled wait leaves the shutdown going", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context context;
  asio::cancellation_signal signal;
  error_code result;
  pool.async_shutdown(
      {}, asio::bind_cancellation_slot(
              signal.slot(),
              asio::bind_executor(context, [&](error_code why, auto) { result = why; })));
  signal.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(result == asio::error::operation_aborted);
  REQUIRE(test::wait_until([&] { return pool.state() == pool_state::draining; }));
  gate.open();
  CHECK(pool.async_shutdown({}, asio::use_future).get().reached == pool_state::stopped);
}

TEST_CASE("the pool may be destroyed while its shutdown is awaited", "[contract][shutdown]") {
  std::future<shutdown_report> ended;
  test::blocker gate;
  std::thread opener;
  {
    brigade::worker_pool pool{{.threads = 1}};
    REQUIRE(gate.occupy(pool, 1));
    ended = pool.async_shutdown({.lame_duck = 24h}, asio::use_future);
    opener = std::thread([&] {
      static_cast<void>(test::wait_until([&] { return pool.state() == pool_state::cancelling; }));
      gate.open();
    });
  }
  opener.join();
  CHECK(ended.get().reached == pool_state::stopped);
}

TEST_CASE("a pool on a host shuts down there, and the host runs until it has told",
          "[contract][shutdown]") {
  asio::io_context host;
  brigade::worker_pool pool{host.get_executor(), {.threads = 1}};
  REQUIRE_FALSE(pool.try_post([] {}));
  bool told = false;
  pool.async_shutdown({}, [&](error_code result, shutdown_report const& report) {
    told = !result && report.completed == 1;
  });
  host.run();
  CHECK(told);
  pool.join();
}

TEST_CASE("a shutdown can be awaited by a coroutine", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::io_context context;
  auto const body = [&]() -> asio::awaitable<int> {
    auto const report = co_await pool.async_shutdown({}, asio::use_awaitable);
    co_return report.exit_code();
  };
  auto code = asio::co_spawn(context, body, asio::use_future);
  context.run();
  CHECK(code.get() == 0);
}

TEST_CASE("a negative time is refused by name, and nothing has begun", "[contract][shutdown]") {
  brigade::worker_pool pool{{.threads = 1}};
  for (auto const& [times, name] : {std::pair{shutdown_options{.lame_duck = -1ms}, "lame_duck"},
                                    {shutdown_options{.drain = -2ms}, "drain"},
                                    {shutdown_options{.cancel = -3ms}, "cancel"}}) {
    std::string said;
    try {
      pool.async_shutdown(times, asio::detached);
    } catch (std::invalid_argument const& error) {
      said = error.what();
    }
    CHECK(said.find(name) != std::string::npos);
    CHECK(said.find("-") != std::string::npos);
  }
  CHECK(pool.state() == pool_state::running);
}

TEST_CASE("a report prints as one line", "[contract][shutdown]") {
  shutdown_report report;
  report.reached = pool_state::stopped;
  report.completed = 40;
  report.elapsed = 120ms;
  CHECK(fmt::format("{}", report) == "stopped after 0.120 s: 40 completed");
  report.signal = 15;
  report.reached = pool_state::cancelling;
  report.cancelled = 2;
  report.abandoned = 1;
  CHECK(brigade::to_string(report) ==
        "cancelling after 0.120 s by signal 15: 40 completed, 2 cancelled, 1 abandoned");
  CHECK(report.exit_code() == 1);
}
