// What nobody should do with the ways into a pool, and what happens then.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
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
using brigade::overflow;
using brigade::to_error_code;
using namespace std::chrono_literals;

namespace {

constexpr brigade::submit_options caller_runs{.when_full = overflow::caller_runs};
constexpr brigade::submit_options wait{.when_full = overflow::wait};

using test::balanced;

/// What a handler on another context was told.
struct ear {
  asio::io_context home;
  std::vector<brigade::error_code> heard;

  auto listen() {
    return asio::bind_executor(
        home, [this](std::exception_ptr failure) { heard.push_back(to_error_code(failure)); });
  }
  auto listen_for_permit() {
    return asio::bind_executor(
        home, [this](brigade::error_code refused, brigade::permit) { heard.push_back(refused); });
  }
};

}  // namespace

TEST_CASE("a job that its caller runs may destroy the pool", "[contract][ways_in][abuse]") {
  auto pool =
      std::make_unique<brigade::worker_pool>(brigade::pool_options{.threads = 1, .capacity = 1});
  auto slot = pool->try_reserve();  // full of it; the worker is idle
  REQUIRE(slot.has_value());
  ear other;
  auto const destroy = [&pool] { pool.reset(); };
  auto const destroy_when_asked = [&pool](std::stop_token) { pool.reset(); };
  SECTION("posted") { CHECK_FALSE(pool->try_post(destroy, caller_runs)); }
  SECTION("posted with a name") {
    auto terms = caller_runs;
    terms.name = "the last";
    CHECK_FALSE(pool->try_post(destroy, terms));
  }
  SECTION("submitted") {
    pool->async_submit(destroy, caller_runs, other.listen());
    other.home.run();
    CHECK(other.heard == std::vector{brigade::error_code{}});
  }
  SECTION("submitted, with a stop token") {
    pool->async_submit(destroy_when_asked, caller_runs, other.listen());
    other.home.run();
    CHECK(other.heard == std::vector{brigade::error_code{}});
  }
  CHECK(pool == nullptr);
}

TEST_CASE("jobs that their callers run may nest", "[contract][ways_in][abuse]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  int depth = 0;
  std::function<void()> const job = [&] {
    if (++depth == 200) return;
    if (pool.try_post(job, caller_runs)) depth = -1'000;
  };
  CHECK_FALSE(pool.try_post(job, caller_runs));
  CHECK(depth == 200);
  CHECK(pool.metrics().caller_ran == 200);
  gate.open();
}

TEST_CASE("what a job throws that its caller runs goes where it always goes",
          "[contract][ways_in][abuse]") {
  std::atomic<int> reported{0};
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .on_job_error = [&](std::exception_ptr) {
                               reported.fetch_add(1);
                             }}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto const bad = [] { throw std::runtime_error("part of the test"); };
  CHECK_FALSE(pool.try_post(bad, caller_runs));
  CHECK(reported == 1);
  ear other;
  CHECK_NOTHROW(pool.async_submit(bad, caller_runs, other.listen()));
  CHECK(other.heard.empty());
  other.home.run();
  CHECK(other.heard == std::vector{make_error_code(errc::job_failed)});
  CHECK(pool.metrics().failed == 0);
  CHECK(pool.metrics().caller_ran == 2);
  gate.open();
}

TEST_CASE("a lane that the pool does not have is refused everywhere",
          "[contract][ways_in][abuse]") {
  brigade::worker_pool pool{{.threads = 1, .lanes = {{}, {}}}};
  for (auto const lane : {2U, 64U, 4'000'000'000U}) {
    brigade::submit_options const terms{.lane = lane};
    auto const job = [] {};
    CHECK_THROWS_AS(pool.try_post(job, terms), std::out_of_range);
    CHECK_THROWS_AS(pool.async_submit(job, terms, asio::detached), std::out_of_range);
    CHECK_THROWS_AS(pool.post_for(job, 1s, terms), std::out_of_range);
    CHECK_THROWS_AS(pool.try_reserve(terms), std::out_of_range);
    CHECK_THROWS_AS(pool.async_reserve(terms, asio::detached), std::out_of_range);
  }
  auto slot = pool.try_reserve({.lane = 1});
  REQUIRE(slot.has_value());
  CHECK_FALSE(slot->post([] {}, {.lane = 99}));  // a permit knows its lane
  pool.join();
  CHECK(pool.metrics().lanes[1].completed == 1);
}

TEST_CASE("who waits is told when the pool ends, however it ends", "[contract][ways_in][abuse]") {
  auto pool = std::make_unique<brigade::worker_pool>(
      brigade::pool_options{.threads = 1, .capacity = 1, .max_waiting = 8});
  test::blocker gate;
  REQUIRE(gate.occupy(*pool, 1));
  ear other;
  for (int i = 0; i != 3; ++i) {
    pool->async_submit([] {}, wait, other.listen());
    pool->async_reserve(other.listen_for_permit());
  }
  std::atomic<bool> blocked{true};
  std::thread plain([&] { blocked = pool->post_for([] {}, 1h) != errc::closed; });
  CHECK(test::wait_until([&] { return pool->metrics().waiting == 7; }));
  SECTION("closed") { pool->close(); }
  SECTION("stopped") { pool->stop(); }
  SECTION("shut down") { pool->async_shutdown({.drain = 1h}, asio::detached); }
  plain.join();
  CHECK_FALSE(blocked);
  other.home.run();
  CHECK(other.heard == std::vector(6, make_error_code(errc::closed)));
  CHECK(pool->metrics().waiting == 0);
  CHECK(pool->metrics().rejected.closed == 7);
  gate.open();
  pool->join();
  CHECK(balanced(pool->metrics()));
}

TEST_CASE("who waits is told when the pool is destroyed", "[contract][ways_in][abuse]") {
  ear other;
  brigade::permit
      slot;  // outlives the pool: given back before, it would be the first one's in line
  {
    brigade::worker_pool pool{{.threads = 1, .capacity = 1, .max_waiting = 8}};
    slot = pool.try_reserve().value();
    for (int i = 0; i != 4; ++i) pool.async_submit([] {}, wait, other.listen());
    for (int i = 0; i != 4; ++i) pool.async_reserve(other.listen_for_permit());
    pool.async_submit([] {}, wait, other.listen());  // no place left
  }
  other.home.run();
  CHECK(other.heard.size() == 9);
  CHECK(std::count(other.heard.begin(), other.heard.end(), make_error_code(errc::closed)) == 8);
  CHECK(std::count(other.heard.begin(), other.heard.end(), make_error_code(errc::queue_full)) == 1);
}

TEST_CASE("a permit that outlives its pool is good for nothing, and harmless",
          "[contract][ways_in][abuse]") {
  std::vector<brigade::permit> permits;
  {
    brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
    for (int i = 0; i != 5; ++i) permits.push_back(pool.try_reserve().value());
  }
  bool ran = false;
  CHECK(permits[0].post([&] { ran = true; }) == errc::closed);
  CHECK_FALSE(permits[0]);
  CHECK_THROWS_AS(permits[0].post([] {}), std::logic_error);
  CHECK_THROWS_AS(permits[0].async_submit([] {}, asio::detached), std::logic_error);
  ear other;
  permits[1].async_submit([&] { ran = true; }, other.listen());
  other.home.run();
  CHECK(other.heard == std::vector{make_error_code(errc::closed)});
  std::promise<brigade::error_code> told;  // told on the pool's executor, which is gone, too
  permits[2].async_submit([&] { ran = true; },
                          [&](std::exception_ptr why) { told.set_value(to_error_code(why)); });
  CHECK(told.get_future().get() == errc::closed);
  permits[3].release();
  permits[3].release();
  permits[4] = std::move(permits[3]);
  CHECK_FALSE(ran);
}

TEST_CASE("an operation on a permit that is never started gives the slot back",
          "[contract][ways_in][abuse]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  {
    auto slot = pool.try_reserve();
    REQUIRE(slot.has_value());
    auto const lazy = slot->async_submit([] {}, asio::deferred);
    CHECK_FALSE(*slot);
    CHECK(pool.metrics().permits == 1);
  }
  CHECK(pool.metrics().permits == 0);
  CHECK(pool.try_reserve().has_value());
}

TEST_CASE("a join waits for a permit, and goes on when it is spent or given back",
          "[contract][ways_in][abuse]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  auto slot = pool.try_reserve();
  REQUIRE(slot.has_value());
  std::atomic<bool> joined{false};
  std::thread joining([&] {
    pool.join();
    joined = true;
  });
  CHECK(test::wait_until([&] { return pool.state() == brigade::pool_state::draining; }));
  CHECK_FALSE(joined);
  CHECK(pool.try_post([] {}) == errc::closed);
  std::atomic<bool> ran{false};
  SECTION("spent") {
    CHECK_FALSE(slot->post([&] { ran = true; }));
    joining.join();
    CHECK(ran);
  }
  SECTION("given back") {
    slot->release();
    joining.join();
  }
  SECTION("taken away") {
    pool.stop();
    joining.join();
    CHECK(slot->post([&] { ran = true; }) == errc::closed);
    CHECK_FALSE(ran);
  }
  CHECK(pool.metrics().permits == 0);
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("any point of time will do for a deadline", "[contract][ways_in][abuse]") {
  using time_point = brigade::clock::time_point;
  brigade::worker_pool pool{{.threads = 1, .capacity = 3}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  ear other;
  auto const with = [](time_point at) { return brigade::submit_options{.start_by = at}; };
  for (auto const at : {time_point::min(), time_point{}, brigade::clock::now() - 1ns}) {
    pool.async_submit([] {}, with(at), other.listen());
    CHECK_FALSE(pool.try_post([] {}, with(at)));
    CHECK(test::wait_until([&] { return pool.metrics().queued_jobs == 0; }));
  }
  CHECK(pool.metrics().expired == 6);
  pool.async_submit([] {}, with(time_point::max()), other.listen());
  pool.async_submit([] {}, with(time_point::max() - 1ns), other.listen());
  auto waits = with(time_point::max() - 1h);
  waits.when_full = overflow::wait;
  pool.async_submit([] {}, waits, other.listen());
  waits.start_by = time_point::min();
  pool.async_submit([] {}, waits, other.listen());
  pool.async_reserve(waits, other.listen_for_permit());
  CHECK(test::wait_until([&] { return pool.metrics().rejected.expired == 2; }));
  gate.open();
  other.home.run();
  CHECK(std::count(other.heard.begin(), other.heard.end(), make_error_code(errc::expired)) == 5);
  CHECK(std::count(other.heard.begin(), other.heard.end(), brigade::error_code{}) == 3);
}

TEST_CASE("a job that is dropped may submit the next one from its handler, and so on",
          "[contract][ways_in][abuse]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  int shed = 0;
  std::function<void()> submit = [&] {
    pool.async_submit([] {}, {.when_full = overflow::drop_oldest},
                      asio::bind_executor(home, [&](std::exception_ptr failure) {
                        if (to_error_code(failure) == errc::shed && ++shed != 500) submit();
                      }));
  };
  submit();
  submit();  // drops the first, whose handler drops this one
  while (shed != 500) home.run_one();
  gate.open();
  home.run();
  pool.join();
  CHECK(pool.metrics().shed == 500);
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("blocking on the pool's own workers is refused, wherever they are",
          "[contract][ways_in][abuse]") {
  auto const deadlock = boost::system::errc::resource_deadlock_would_occur;
  auto const check = [&](brigade::worker_pool& pool) {
    std::promise<std::vector<brigade::error_code>> told;
    auto answers = std::make_shared<std::vector<brigade::error_code>>();
    auto coroutine = [&pool, answers]() -> asio::awaitable<void> {
      answers->push_back(pool.post_for([] {}, 1h));
      co_await asio::post(asio::use_awaitable);
      answers->push_back(pool.post_for([] {}, 0s));
    };
    pool.async_submit(coroutine, [&, answers](std::exception_ptr) {
      answers->push_back(pool.post_for([] {}, 1h));
      told.set_value(*answers);
    });
    auto const all = told.get_future().get();
    CHECK(all.size() == 3);
    for (auto const& each : all) CHECK(each == deadlock);
  };
  {
    brigade::worker_pool pool{{.threads = 1}};
    check(pool);
    CHECK_FALSE(pool.post_for([] {}, 1h));
    brigade::worker_pool other{{.threads = 1}};  // another pool's worker may
    auto const from_other = [&pool] { return pool.post_for([] {}, 1h); };
    CHECK_FALSE(other.async_submit(from_other, asio::use_future).get());
  }
  asio::thread_pool host{1};
  brigade::worker_pool pool{host.get_executor(), {.threads = 1}};
  check(pool);
  host.join();
}

TEST_CASE("every worker may wait for what is queued behind it", "[contract][ways_in][abuse]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 4096}};
  std::function<int(int)> const sum = [&](int n) -> int {
    if (n == 0) return 1;
    auto left = pool.async_submit([&sum, n] { return sum(n - 1); }, asio::use_future);
    int const right = sum(n - 1);
    return pool.wait(std::move(left)).get() + right;
  };
  CHECK(pool.async_submit([&] { return sum(8); }, asio::use_future).get() == 256);
}

TEST_CASE("on a host all ways in work, and the host ends when they have",
          "[contract][ways_in][abuse]") {
  asio::io_context host;
  brigade::worker_pool pool{
      host.get_executor(),
      {.threads = 1, .capacity = 2, .max_waiting = 8, .lanes = {{}, {.capacity = 1}}}};
  std::vector<int> ran;
  std::vector<brigade::error_code> heard;
  auto const job = [&ran](int number) { return [&ran, number] { ran.push_back(number); }; };
  auto const tell = [&heard](std::exception_ptr failure) {
    heard.push_back(to_error_code(failure));
  };
  auto slot = pool.try_reserve();
  REQUIRE(slot.has_value());
  pool.async_submit(job(1), tell);
  pool.async_submit(job(2), {.when_full = overflow::drop_oldest}, tell);  // instead of 1
  pool.async_submit(job(3), {.when_full = overflow::caller_runs}, tell);
  CHECK(ran == std::vector{3});
  pool.async_submit(job(4), wait, tell);
  pool.async_submit(job(5), {.when_full = overflow::wait, .lane = 1}, tell);
  pool.async_submit(job(6), {.when_full = overflow::wait, .start_by = brigade::clock::now()}, tell);
  pool.async_reserve([&](brigade::error_code refused, brigade::permit later) {
    CHECK_FALSE(refused);
    later.async_submit(job(7), tell);
  });
  CHECK(heard.empty());  // nobody has run the host yet
  slot->async_submit(job(8), tell);
  host.run();
  std::sort(ran.begin(), ran.end());
  CHECK(ran == std::vector{2, 3, 4, 5, 7, 8});
  CHECK(heard.size() == 8);
  CHECK(std::count(heard.begin(), heard.end(), brigade::error_code{}) == 6);
  CHECK(balanced(pool.metrics()));
  CHECK(pool.metrics().waiting + pool.metrics().permits == 0);
}

TEST_CASE("a host that goes first leaves nobody in line untold", "[contract][ways_in][abuse]") {
  auto host = std::make_unique<asio::io_context>();
  std::atomic<int> lost{0};
  ear other;
  std::optional<brigade::permit> held;
  brigade::worker_pool pool{
      host->get_executor(),
      {.threads = 1, .capacity = 2, .on_handler_error = [&](auto const&) { lost.fetch_add(1); }}};
  held = pool.try_reserve().value();
  pool.async_submit([] {}, other.listen());
  for (int i = 0; i != 3; ++i) {
    pool.async_submit([] {}, wait, other.listen());
    pool.async_reserve([](brigade::error_code, brigade::permit) { FAIL("the host is gone"); });
  }
  CHECK(pool.metrics().waiting == 2);  // as many as the capacity
  host.reset();
  other.home.run();
  CHECK(other.heard.size() == 4);
  CHECK(test::wait_until([&] { return lost == 3; }));
  CHECK(held->post([] {}) == errc::closed);
  CHECK(test::wait_until([&] { return pool.state() == brigade::pool_state::stopped; }));
  CHECK(balanced(pool.metrics()));
}
