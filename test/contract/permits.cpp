// A slot first, the job later.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/balanced.hpp"
#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::error_code;
using brigade::to_error_code;
using namespace std::chrono_literals;

namespace {

using test::balanced;

}  // namespace

TEST_CASE("a permit holds a slot until it is given back", "[contract][permits]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  {
    auto const one = pool.try_reserve();
    auto const two = pool.try_reserve();
    REQUIRE(one.has_value());
    REQUIRE(two.has_value());
    CHECK(pool.metrics().permits == 2);
    CHECK(pool.try_reserve().error() == errc::queue_full);
    CHECK(pool.try_post([] {}) == errc::queue_full);
    CHECK(pool.metrics().queued_jobs == 0);
    CHECK(pool.metrics().admitted == 0);
  }
  CHECK(pool.metrics().permits == 0);
  CHECK_FALSE(pool.try_post([] {}));
  pool.join();
  auto const m = pool.metrics();
  CHECK(m.admitted == 1);
  CHECK(m.completed == 1);
  CHECK(balanced(m));
}

TEST_CASE("a permit that is spent cannot be refused for want of room", "[contract][permits]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto slot = pool.try_reserve();
  REQUIRE(slot.has_value());
  CHECK(pool.try_post([] {}) == errc::queue_full);
  std::atomic<bool> ran{false};
  CHECK_FALSE(slot->post([&] { ran = true; }));
  CHECK_FALSE(static_cast<bool>(*slot));
  CHECK(pool.try_post([] {}) == errc::queue_full);  // the slot is the job's now
  CHECK(pool.metrics().queued_jobs == 1);
  gate.open();
  pool.join();
  CHECK(ran);
  CHECK(pool.metrics().completed == 2);
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("a permit takes every kind of job", "[contract][permits]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  auto const slot = [&] {
    std::optional<brigade::permit> held;
    CHECK(test::wait_until([&] {
      auto tried = pool.try_reserve();
      if (tried) held.emplace(std::move(*tried));
      return held.has_value();
    }));
    return std::move(*held);
  };
  CHECK(slot().async_submit([] { return 1; }, asio::use_future).get() == 1);
  CHECK(slot().async_submit([](std::stop_token) { return 2; }, asio::use_future).get() == 2);
  auto const coroutine = []() -> asio::awaitable<int> { co_return 3; };
  CHECK(slot().async_submit(coroutine, asio::use_future).get() == 3);
  CHECK(slot()
            .async_submit([] { return 4; }, {.start_by = brigade::clock::now() + 24h},
                          asio::use_future)
            .get() == 4);
  CHECK_FALSE(slot().post([] {}, {.name = "named"}));
  asio::io_context home;
  int five = 0;
  auto deferred = slot().async_submit([] { return 5; }, asio::as_tuple(asio::deferred));
  std::move(deferred)(asio::bind_executor(
      home, [&](std::tuple<std::exception_ptr, int> const& got) { five = std::get<1>(got); }));
  home.run();
  CHECK(five == 5);
}

TEST_CASE("an empty permit says so", "[contract][permits]") {
  brigade::worker_pool pool{{.threads = 1}};
  brigade::permit none;
  CHECK_FALSE(static_cast<bool>(none));
  CHECK_THROWS_AS((void)none.post([] {}), std::logic_error);
  CHECK_THROWS_AS(none.async_submit([] {}, asio::detached), std::logic_error);
  none.release();
  auto slot = pool.try_reserve();
  auto moved = std::move(*slot);
  CHECK_FALSE(static_cast<bool>(*slot));
  moved.release();
  moved.release();
  CHECK_FALSE(static_cast<bool>(moved));
}

TEST_CASE("closing leaves permits valid, and a drain waits for them", "[contract][permits]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 4}};
  auto spent = pool.try_reserve();
  auto unused = pool.try_reserve();
  auto drained = pool.async_drain(asio::use_future);
  CHECK(pool.try_reserve().error() == errc::closed);
  std::atomic<bool> ran{false};
  CHECK_FALSE(spent->post([&] { ran = true; }));
  REQUIRE(test::wait_until([&] { return ran.load(); }));
  CHECK(pool.state() == brigade::pool_state::draining);
  unused->release();
  drained.get();
  CHECK(pool.state() == brigade::pool_state::stopped);
}

TEST_CASE("stopping takes permits away", "[contract][permits]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 4}};
  auto slot = pool.try_reserve();
  auto other = pool.try_reserve();
  pool.stop();
  pool.join();
  CHECK(pool.state() == brigade::pool_state::stopped);
  CHECK(slot->post([] {}) == errc::closed);
  other->release();
  CHECK(pool.metrics().permits == 0);
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("a permit may outlive its pool", "[contract][permits]") {
  brigade::permit slot;
  brigade::permit other;
  {
    brigade::worker_pool pool{{.threads = 1}};
    slot = pool.try_reserve().value();
    other = pool.try_reserve().value();
  }
  CHECK(slot.post([] {}) == errc::closed);
  std::promise<error_code> told;
  other.async_submit([] {},
                     [&](std::exception_ptr failure) { told.set_value(to_error_code(failure)); });
  CHECK(told.get_future().get() == errc::closed);
}

TEST_CASE("async_reserve waits in line for its slot", "[contract][permits]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .max_waiting = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto first = pool.async_reserve(asio::use_future);
  auto second = pool.async_reserve(asio::use_future);
  auto third = pool.async_reserve(asio::use_future);
  CHECK_THROWS_AS(third.get(), boost::system::system_error);
  CHECK(pool.metrics().waiting == 2);
  gate.open();
  auto slot = first.get();
  REQUIRE(static_cast<bool>(slot));
  CHECK(second.wait_for(0s) == std::future_status::timeout);
  std::atomic<bool> ran{false};
  CHECK_FALSE(slot.post([&] { ran = true; }));
  auto last = second.get();
  CHECK(ran);
  CHECK(static_cast<bool>(last));
  last.release();
  pool.join();
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("a wait for a slot can be cancelled, expires, and ends with the pool",
          "[contract][permits]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  error_code told;
  bool held = true;
  auto const tell = [&](error_code result, brigade::permit slot) {
    told = result;
    held = static_cast<bool>(slot);
  };
  SECTION("cancelled") {
    asio::cancellation_signal signal;
    pool.async_reserve(
        asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(home, tell)));
    signal.emit(asio::cancellation_type::total);
    home.run();
    CHECK(told == asio::error::operation_aborted);
  }
  SECTION("expired") {
    pool.async_reserve({.start_by = brigade::clock::now() + 5ms}, asio::bind_executor(home, tell));
    home.run();
    CHECK(told == errc::expired);
  }
  SECTION("closed") {
    pool.async_reserve(asio::bind_executor(home, tell));
    pool.close();
    home.run();
    CHECK(told == errc::closed);
  }
  CHECK_FALSE(held);
  CHECK(pool.metrics().waiting == 0);
}

TEST_CASE("the bound holds while permits change hands", "[stress][permits]") {
  constexpr unsigned capacity = 3;
  brigade::worker_pool pool{{.threads = 2, .capacity = capacity}};
  std::atomic<int> holders{0};
  std::atomic<int> most{0};
  std::atomic<int> ran{0};
  std::atomic<int> spent{0};
  auto const enter = [&] {
    auto const now = holders.fetch_add(1) + 1;
    auto seen = most.load();
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t != 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i != 4'000; ++i) {
        auto slot = pool.try_reserve();
        if (!slot) continue;
        enter();  // until the job has run, or the slot is given back
        if ((i + t) % 3 == 0) {
          holders.fetch_sub(1);
          slot->release();
        } else {
          spent.fetch_add(1);
          if (slot->post([&] {
                ran.fetch_add(1);
                holders.fetch_sub(1);
              })) {
            spent.fetch_sub(1);
          }
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  pool.join();
  CHECK(most <= static_cast<int>(capacity));
  CHECK(ran == spent);
  auto const m = pool.metrics();
  CHECK(m.permits == 0);
  CHECK(m.admitted == static_cast<std::uint64_t>(spent.load()));
  CHECK(balanced(m));
}
