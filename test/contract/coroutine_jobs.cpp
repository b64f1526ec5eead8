// Jobs that are coroutines: they hold a slot, and a thread only while they run.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::to_error_code;

namespace {

// A place where coroutines wait until a test lets them go on.
class shore {
 public:
  asio::awaitable<void> wait() {
    waiting_.fetch_add(1);
    co_await asio::post(context_, asio::use_awaitable);
  }
  [[nodiscard]] bool reached(int count) const {
    return test::wait_until([&] { return waiting_ == count; });
  }
  // A coroutine counts before its post is queued: the guard makes run_one() wait for the latter.
  void release() {
    auto const guard = asio::make_work_guard(context_);
    context_.restart();
    for (; released_ < waiting_; ++released_) context_.run_one();
  }

 private:
  asio::io_context context_;
  std::atomic<int> waiting_{0};
  int released_{0};
};

asio::awaitable<void> sleep_for_ever() {
  asio::steady_timer never(co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::use_awaitable);
}

// Submits two jobs for each job: a tree of coroutines that wait for one another.
asio::awaitable<int> leaves(brigade::worker_pool& pool, int depth) {
  if (depth == 0) co_return 1;
  auto const below = [&pool, depth] { return leaves(pool, depth - 1); };
  auto const left = co_await pool.async_submit(below, asio::use_awaitable);
  auto const right = co_await pool.async_submit(below, asio::use_awaitable);
  co_return left + right;
}

}  // namespace

TEST_CASE("a coroutine's result and its exception reach the handler",
          "[contract][coroutine_jobs]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto const number = []() -> asio::awaitable<int> { co_return 42; };
  CHECK(pool.async_submit(number, asio::use_future).get() == 42);
  auto const pointer = []() -> asio::awaitable<std::unique_ptr<std::string>> {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return std::make_unique<std::string>("kept");
  };
  CHECK(*pool.async_submit(pointer, asio::use_future).get() == "kept");
  auto const nothing = []() -> asio::awaitable<void> { co_return; };
  CHECK_NOTHROW(pool.async_submit(nothing, asio::use_future).get());
  auto const failing = []() -> asio::awaitable<int> {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    throw std::out_of_range("late");
  };
  CHECK_THROWS_AS(pool.async_submit(failing, asio::use_future).get(), std::out_of_range);
  // A function that gives an awaitable may throw before there is one.
  auto const throwing = [&](std::stop_token) -> asio::awaitable<int> {
    if (pool.state() == brigade::pool_state::running) throw std::domain_error("early");
    return number();
  };
  CHECK_THROWS_AS(pool.async_submit(throwing, asio::use_future).get(), std::domain_error);
  pool.join();
  CHECK(pool.metrics().completed == 3);
  CHECK(pool.metrics().failed == 2);
}

TEST_CASE("a coroutine that takes a stop token is given one", "[contract][coroutine_jobs]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto const job = [](std::stop_token stop) -> asio::awaitable<bool> {
    co_return stop.stop_possible() && !stop.stop_requested();
  };
  CHECK(pool.async_submit(job, asio::use_future).get());
}

TEST_CASE("a coroutine job runs on the pool's threads", "[contract][coroutine_jobs]") {
  brigade::worker_pool pool{{.threads = 1}};
  shore sea;
  auto const worker =
      pool.async_submit([] { return std::this_thread::get_id(); }, asio::use_future).get();
  auto const job = [&]() -> asio::awaitable<bool> {
    auto const before = std::this_thread::get_id() == worker;
    co_await sea.wait();
    co_return before&& std::this_thread::get_id() == worker;
  };
  auto both = pool.async_submit(job, asio::use_future);
  REQUIRE(sea.reached(1));
  sea.release();
  CHECK(both.get());
}

TEST_CASE("a suspended coroutine holds its slot but no thread", "[contract][coroutine_jobs]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 3}};
  shore sea;
  auto const job = [&]() -> asio::awaitable<int> {
    co_await sea.wait();
    co_return 5;
  };
  auto first = pool.async_submit(job, asio::use_future);
  auto second = pool.async_submit(job, asio::use_future);
  REQUIRE(sea.reached(2));
  CHECK(test::wait_until([&] { return pool.metrics().active_workers == 0; }));
  CHECK(pool.metrics().running_jobs == 2);
  CHECK(pool.metrics().queued_jobs == 0);
  CHECK(pool.async_submit([] { return 1; }, asio::use_future).get() ==
        1);  // the one thread is free

  test::blocker gate;
  CHECK_FALSE(pool.try_post([&] { gate.wait(); }));  // the third slot
  CHECK(pool.try_post([] {}) == errc::queue_full);
  CHECK(pool.metrics().completed == 1);
  gate.open();
  sea.release();
  CHECK(first.get() + second.get() == 10);
  pool.join();
  CHECK(pool.metrics().running_jobs == 0);
  CHECK(pool.metrics().completed == 4);
}

TEST_CASE("a suspended coroutine is cancelled through the slot", "[contract][coroutine_jobs]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::cancellation_signal signal;
  std::promise<void> started;
  std::promise<std::pair<brigade::error_code, int>> told;
  auto const tell = [&] {
    return asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr failure, int result) {
      told.set_value({to_error_code(failure), result});
    });
  };
  SECTION("what it throws reaches the handler") {
    auto const job = [&]() -> asio::awaitable<int> {
      started.set_value();
      co_await sleep_for_ever();
      co_return 0;
    };
    pool.async_submit(job, tell());
    started.get_future().get();
    CHECK(test::wait_until([&] { return pool.metrics().active_workers == 0; }));
    signal.emit(asio::cancellation_type::terminal);
    CHECK(told.get_future().get().first == asio::error::operation_aborted);
  }
  SECTION("or what it returns") {
    auto const job = [&](std::stop_token stop) -> asio::awaitable<int> {
      started.set_value();
      try {
        co_await sleep_for_ever();
      } catch (boost::system::system_error const&) {
      }
      co_return stop.stop_requested() ? 7 : 0;
    };
    pool.async_submit(job, tell());
    started.get_future().get();
    CHECK(test::wait_until([&] { return pool.metrics().active_workers == 0; }));
    signal.emit(asio::cancellation_type::terminal);
    auto const [why, result] = told.get_future().get();
    CHECK_FALSE(why);
    CHECK(result == 7);
    pool.join();
    CHECK(pool.metrics().completed == 1);
  }
  SECTION("also by total, where it lets that through") {
    auto const job = [&]() -> asio::awaitable<int> {
      co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
      started.set_value();
      co_await sleep_for_ever();
      co_return 0;
    };
    pool.async_submit(job, tell());
    started.get_future().get();
    CHECK(test::wait_until([&] { return pool.metrics().active_workers == 0; }));
    signal.emit(asio::cancellation_type::total);
    CHECK(told.get_future().get().first == asio::error::operation_aborted);
  }
}

TEST_CASE("stop() cancels suspended coroutines and requests their stop tokens",
          "[contract][coroutine_jobs]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::atomic<int> started{0};
  auto const sleeper = [&]() -> asio::awaitable<void> {
    started.fetch_add(1);
    co_await sleep_for_ever();
  };
  auto const asked = [&](std::stop_token stop) -> asio::awaitable<bool> {
    started.fetch_add(1);
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return stop.stop_requested();
  };
  auto slept = pool.async_submit(sleeper, asio::use_future);
  auto requested = pool.async_submit(asked, asio::use_future);
  REQUIRE(test::wait_until([&] { return started == 2; }));
  pool.stop();
  CHECK(requested.get());
  try {
    slept.get();
    FAIL_CHECK("a coroutine slept for ever and came back");
  } catch (boost::system::system_error const& error) {
    CHECK(error.code() == asio::error::operation_aborted);
  }
  pool.join();
  CHECK(pool.state() == brigade::pool_state::stopped);
}

TEST_CASE("a coroutine job may submit to its own pool while that drains, an outsider may not",
          "[contract][coroutine_jobs]") {
  brigade::worker_pool pool{{.threads = 1}};
  shore sea;
  std::atomic<bool> posted{false};
  auto const job = [&]() -> asio::awaitable<int> {
    co_await sea.wait();
    if (pool.try_post([&] { posted = true; })) co_return -1;
    auto const inner = []() -> asio::awaitable<int> { co_return 2; };
    auto const one = co_await pool.async_submit([] { return 1; }, asio::use_awaitable);
    auto const two = co_await pool.async_submit(inner, asio::use_awaitable);
    co_return one + two;
  };
  auto sum = pool.async_submit(job, asio::use_future);
  REQUIRE(sea.reached(1));
  pool.close();
  CHECK(pool.state() == brigade::pool_state::draining);
  CHECK(pool.try_post([] {}) == errc::closed);
  // Nor may other work on the pool's executor: it is no job.
  std::promise<brigade::error_code> aside;
  asio::post(pool.get_executor(), [&] { aside.set_value(pool.try_post([] {})); });
  CHECK(aside.get_future().get() == errc::closed);
  sea.release();
  CHECK(sum.get() == 3);
  pool.join();
  CHECK(posted);
  CHECK(pool.metrics().completed == 4);
}

TEST_CASE("coroutine jobs that wait for jobs of their own pool need no second thread",
          "[contract][coroutine_jobs]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 64}};
  auto const tree = [&] { return leaves(pool, 6); };
  CHECK(pool.async_submit(tree, asio::use_future).get() == 64);
  auto const again = pool.async_submit(tree, asio::use_future).wait_for(std::chrono::seconds{60});
  CHECK(again == std::future_status::ready);
  pool.join();
  CHECK(pool.metrics().completed == 2 * 127);
}
