// overflow::wait: the line, who is served first, and how one leaves it.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
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
using namespace std::chrono_literals;

namespace {

constexpr brigade::submit_options wait_in_line{.when_full = overflow::wait};

class order {
 public:
  void add(int who) {
    std::lock_guard const lock(mutex_);
    seen_.push_back(who);
  }
  [[nodiscard]] std::vector<int> seen() const {
    std::lock_guard const lock(mutex_);
    return seen_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<int> seen_;
};

using test::balanced;
using test::verdict_of;

}  // namespace

TEST_CASE("those who wait are served in the order in which they came", "[contract][waiting]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .max_waiting = 100}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  order served;
  std::vector<std::future<void>> all;
  for (int i = 0; i != 100; ++i) {
    all.push_back(
        pool.async_submit([&served, i] { served.add(i); }, wait_in_line, asio::use_future));
  }
  CHECK(pool.metrics().waiting == 100);
  gate.open();
  for (auto& one : all) one.get();
  auto const seen = served.seen();
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(seen.size() == 100);
}

TEST_CASE("a line has max_waiting places, the capacity's number by default",
          "[contract][waiting]") {
  auto const places = GENERATE(0, 1, 5);
  brigade::worker_pool pool{
      {.threads = 1, .capacity = 1, .max_waiting = static_cast<std::size_t>(places)}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  order served;
  std::vector<std::future<void>> waiting;
  for (int i = 0; i != places; ++i) {
    waiting.push_back(
        pool.async_submit([&served, i] { served.add(i); }, wait_in_line, asio::use_future));
    CHECK(pool.metrics().waiting == static_cast<std::uint64_t>(i + 1));
  }
  auto refused = pool.async_submit([] {}, wait_in_line, asio::use_future);
  CHECK(verdict_of(refused) == errc::queue_full);
  CHECK(pool.metrics().rejected.queue_full == 1);
  gate.open();
  for (auto& one : waiting) CHECK(verdict_of(one) == error_code{});
  std::vector<int> expected;
  for (int i = 0; i != places; ++i) expected.push_back(i);
  CHECK(served.seen() == expected);
  CHECK(pool.metrics().waiting == 0);
}

TEST_CASE("a slot that comes free goes to the line before a newcomer", "[contract][waiting]") {
  for (int round = 0; round != 200; ++round) {
    brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
    test::blocker gate;
    REQUIRE(gate.occupy(pool, 1));
    std::atomic<bool> first_ran{false};
    auto first = pool.async_submit([&] { first_ran = true; }, wait_in_line, asio::use_future);
    gate.open();
    // From here on a slot may come free at any moment.
    std::atomic<bool> seen_first{true};
    while (pool.try_post([&] { seen_first = first_ran.load(); })) {
    }
    first.get();
    pool.join();
    CHECK(seen_first);
  }
}

TEST_CASE("a newcomer is admitted again once the line is empty", "[contract][waiting]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  for (int round = 0; round != 100; ++round) {
    test::blocker gate;
    REQUIRE(test::wait_until([&] { return !pool.try_post([&gate] { gate.wait(); }); }));
    REQUIRE(test::wait_until([&] { return !pool.try_post([&gate] { gate.wait(); }); }));
    auto waiting = pool.async_submit([] {}, wait_in_line, asio::use_future);
    gate.open();
    waiting.get();
    REQUIRE(test::wait_until([&] { return pool.metrics().admitted == pool.metrics().completed; }));
  }
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("cancelling leaves the line, and was never admitted", "[contract][waiting]") {
  auto const type = GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::partial,
                             asio::cancellation_type::total);
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .max_waiting = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  asio::cancellation_signal signal;
  std::atomic<bool> ran{false};
  error_code told;
  pool.async_submit([&] { ran = true; }, wait_in_line,
                    asio::bind_cancellation_slot(
                        signal.slot(), asio::bind_executor(home, [&](std::exception_ptr failure) {
                          told = to_error_code(failure);
                        })));
  auto behind = pool.async_submit([] {}, wait_in_line, asio::use_future);
  signal.emit(type);
  home.run();  // while the only worker is stuck
  CHECK(told == asio::error::operation_aborted);
  CHECK(pool.metrics().waiting == 1);
  gate.open();
  behind.get();
  pool.join();
  CHECK_FALSE(ran);
  auto const m = pool.metrics();
  CHECK(m.rejected.cancelled == 1);
  CHECK(m.cancelled == 0);
  CHECK(m.admitted == 2);
  CHECK(balanced(m));
}

TEST_CASE("who waits past its deadline is told when the time comes", "[contract][waiting]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto const by = brigade::clock::now() + 20ms;
  auto late =
      pool.async_submit([] {}, {.when_full = overflow::wait, .start_by = by}, asio::use_future);
  CHECK(verdict_of(late) == errc::expired);
  CHECK(brigade::clock::now() >= by);
  CHECK(pool.metrics().rejected.expired == 1);
  CHECK(pool.metrics().expired == 0);
  CHECK(pool.metrics().waiting == 0);
}

TEST_CASE("closing and stopping send away those who wait", "[contract][waiting]") {
  auto const stops = GENERATE(false, true);
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::vector<std::future<void>> waiting;
  for (int i = 0; i != 1; ++i) {
    waiting.push_back(pool.async_submit([] {}, wait_in_line, asio::use_future));
  }
  if (stops) {
    pool.stop();
  } else {
    pool.close();
  }
  for (auto& one : waiting) CHECK(verdict_of(one) == errc::closed);
  CHECK(pool.metrics().rejected.closed == 1);
  gate.open();
  pool.join();
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("a pool that is destroyed tells those who wait", "[contract][waiting]") {
  std::vector<std::future<void>> waiting;
  {
    brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
    test::blocker gate;
    REQUIRE(gate.occupy(pool, 8 - 7));
    for (int i = 0; i != 7; ++i) REQUIRE_FALSE(pool.try_post([&gate] { gate.wait(); }));
    for (int i = 0; i != 8; ++i) {
      waiting.push_back(pool.async_submit([] {}, wait_in_line, asio::use_future));
    }
  }
  for (auto& one : waiting) {
    auto const why = verdict_of(one);
    CHECK((why == errc::closed || why == asio::error::operation_aborted || !why));
  }
}

TEST_CASE("a running job may wait in line while the pool drains", "[contract][waiting]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::promise<error_code> inner_told;
  std::atomic<bool> inner_ran{false};
  std::atomic<bool> as_expected{false};
  test::blocker submitted;
  REQUIRE_FALSE(pool.try_post([&] {
    submitted.wait();
    pool.async_submit(
        [&] { inner_ran = true; }, wait_in_line,
        [&](std::exception_ptr failure) { inner_told.set_value(to_error_code(failure)); });
    bool const waits = test::wait_until([&] { return pool.metrics().waiting == 1; });
    gate.open();  // its slot is for the one in line
    as_expected = waits && test::wait_until([&] { return inner_ran.load(); });
  }));
  REQUIRE(test::wait_until([&] { return submitted.waiting() == 1; }));
  pool.close();
  submitted.open();
  CHECK_FALSE(inner_told.get_future().get());
  pool.join();
  CHECK(as_expected);
}

TEST_CASE("a coroutine waits for its slot and then runs", "[contract][waiting]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto const job = []() -> asio::awaitable<int> { co_return 7; };
  auto result = pool.async_submit(job, wait_in_line, asio::use_future);
  CHECK(result.wait_for(0s) == std::future_status::timeout);
  gate.open();
  CHECK(result.get() == 7);
}

TEST_CASE("no hand-over is lost", "[stress][waiting]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 2, .max_waiting = 100'000}};
  constexpr int submitters = 4;
  constexpr int each = 5'000;
  std::atomic<int> ran{0};
  std::atomic<int> told{0};
  std::vector<std::thread> threads;
  for (int s = 0; s != submitters; ++s) {
    threads.emplace_back([&] {
      for (int i = 0; i != each; ++i) {
        pool.async_submit([&] { ran.fetch_add(1); }, wait_in_line,
                          [&](std::exception_ptr failure) {
                            if (!failure) told.fetch_add(1);
                          });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(test::wait_until([&] { return told == submitters * each; }));
  CHECK(ran == submitters * each);
  CHECK(pool.metrics().waiting == 0);
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("a blocking post waits for a slot, or for so long", "[contract][waiting]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  std::atomic<bool> ran{false};
  auto const job = [&] { ran = true; };
  CHECK_FALSE(pool.post_for(job, 0s));
  REQUIRE(test::wait_until([&] { return ran.load(); }));
  ran = false;
  REQUIRE(test::wait_until([&] { return !pool.try_post([&] { gate.wait(); }); }));
  CHECK(pool.post_for(job, 0s) == errc::queue_full);
  CHECK(pool.post_for(job, 10ms) == errc::expired);
  std::thread opener([&] {
    static_cast<void>(test::wait_until([&] { return pool.metrics().waiting == 1; }));
    gate.open();
  });
  CHECK_FALSE(pool.post_for(job, 24h));
  opener.join();
  CHECK(test::wait_until([&] { return ran.load(); }));
  pool.close();
  CHECK(pool.post_for(job, 24h) == errc::closed);
}

TEST_CASE("threads that post and block are all served, and none of their looks is a refusal",
          "[contract][waiting]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 2, .max_waiting = 3}};
  constexpr int submitters = 3;
  constexpr int each = 2'000;
  std::atomic<int> ran{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t != submitters; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i != each; ++i) {
        if (pool.post_for([&] { ran.fetch_add(1); }, 1h)) refused.fetch_add(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(refused == 0);
  pool.join();
  CHECK(ran == submitters * each);
  auto const now = pool.metrics();
  CHECK(now.rejected.total() == 0);
  CHECK(now.admitted == submitters * each);
  CHECK(balanced(now));
}

TEST_CASE("a worker that would block its own pool is told so", "[contract][waiting]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  auto answer = pool.async_submit([&] { return pool.post_for([] {}, 24h); }, asio::use_future);
  CHECK(answer.get() == boost::system::errc::resource_deadlock_would_occur);
}

TEST_CASE("try_post never waits", "[contract][waiting]") {
  brigade::worker_pool pool{{.threads = 1}};
  CHECK_THROWS_AS((void)pool.try_post([] {}, wait_in_line), std::invalid_argument);
}
