// Several queues under one pool.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <mutex>
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
using namespace std::chrono_literals;

namespace {

bool balanced(brigade::pool_metrics const& m) {
  std::uint64_t in_lanes = 0;
  for (auto const& lane : m.lanes) {
    if (!test::balanced(lane)) return false;
    in_lanes += lane.admitted;
  }
  return test::balanced(m) && (m.lanes.empty() || in_lanes == m.admitted);
}

}  // namespace

TEST_CASE("a lane has a capacity of its own under the pool's", "[contract][lanes]") {
  brigade::worker_pool pool{
      {.threads = 1, .capacity = 4, .lanes = {{.capacity = 0}, {.capacity = 2}}}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto const post = [&](unsigned lane) { return pool.try_post([] {}, {.lane = lane}); };
  CHECK_FALSE(post(1));
  CHECK_FALSE(post(1));
  CHECK(post(1) == errc::queue_full);  // the lane is full
  CHECK_FALSE(post(0));
  CHECK(post(0) == errc::queue_full);  // the pool is full
  CHECK(pool.try_post([] {}) == errc::queue_full);
  auto const m = pool.metrics();
  REQUIRE(m.lanes.size() == 2);
  CHECK(m.lanes[0].capacity == 4);
  CHECK(m.lanes[1].capacity == 2);
  CHECK(m.lanes[0].queued_jobs == 1);
  CHECK(m.lanes[0].running_jobs == 1);
  CHECK(m.lanes[1].queued_jobs == 2);
  CHECK(balanced(m));
  gate.open();
  pool.join();
  CHECK(pool.metrics().lanes[1].completed == 2);
  CHECK(pool.metrics().completed == 4);
}

TEST_CASE("a lane that the pool does not have is refused by name and number", "[contract][lanes]") {
  brigade::worker_pool plain{{.threads = 1}};
  brigade::worker_pool pool{{.threads = 1, .lanes = {{}, {}}}};
  auto const job = [] {};
  CHECK_THROWS_AS((void)plain.try_post(job, {.lane = 1}), std::out_of_range);
  CHECK_THROWS_AS((void)pool.try_post(job, {.lane = 2}), std::out_of_range);
  CHECK_THROWS_AS(pool.async_submit(job, {.lane = 2}, asio::use_future), std::out_of_range);
  CHECK_THROWS_AS((void)pool.try_reserve({.lane = 2}), std::out_of_range);
  CHECK_THROWS_AS(pool.async_reserve({.lane = 2}, asio::use_future), std::out_of_range);
  CHECK_THROWS_AS((void)pool.post_for(job, 1s, {.lane = 2}), std::out_of_range);
  try {
    (void)pool.try_post(job, {.lane = 2});
  } catch (std::out_of_range const& error) {
    CHECK(std::string(error.what()) ==
          "brigade::submit_options::lane: 2; the pool has 2, numbered from 0");
  }
}

TEST_CASE("bad lanes are refused by the constructor", "[contract][lanes]") {
  auto const message = [](brigade::pool_options options) -> std::string {
    try {
      brigade::worker_pool pool(std::move(options));
      return "accepted";
    } catch (std::invalid_argument const& error) {
      return error.what();
    }
  };
  CHECK(message({.capacity = 4, .lanes = {{.capacity = 5}}}) ==
        "brigade::pool_options::lanes[0].capacity: 5 is out of range; give 1 to 4");
  CHECK(message({.lanes = {{}, {.weight = 0}}}) ==
        "brigade::pool_options::lanes[1].weight: 0 is out of range; give 1 to 65536");
  CHECK(message({.lanes = std::vector<brigade::lane_options>(65)}).find("lanes.size()") !=
        std::string::npos);
}

TEST_CASE("lanes are served by their weights, lane 0 first, and none starves",
          "[contract][lanes]") {
  brigade::worker_pool pool{
      {.threads = 1, .capacity = 1024, .lanes = {{.weight = 3}, {.weight = 1}, {.weight = 2}}}};
  std::mutex mutex;
  std::vector<unsigned> served;
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  for (int i = 0; i != 60; ++i) {
    for (unsigned lane = 0; lane != 3; ++lane) {
      REQUIRE_FALSE(pool.try_post(
          [&, lane] {
            std::lock_guard const lock(mutex);
            served.push_back(lane);
          },
          {.lane = lane}));
    }
  }
  gate.open();
  pool.join();
  REQUIRE(served.size() == 180);
  // The job at the gate was lane 0's; from the next round on each is 3, 1, 2.
  std::vector<int> in_window(3);
  for (std::size_t i = 6; i != 66; ++i) ++in_window[served[i]];
  CHECK(in_window == std::vector<int>{30, 10, 20});
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("long jobs do not let the first lane have it all", "[contract][lanes]") {
  brigade::worker_pool pool{
      {.threads = 1, .capacity = 64, .lanes = {{.weight = 1}, {.weight = 1}}, .turn_jobs = 1}};
  std::mutex mutex;
  std::vector<unsigned> served;
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  for (int i = 0; i != 10; ++i) {
    for (unsigned lane = 0; lane != 2; ++lane) {
      REQUIRE_FALSE(pool.try_post(
          [&, lane] {
            std::lock_guard const lock(mutex);
            served.push_back(lane);
          },
          {.lane = lane}));
    }
  }
  gate.open();
  pool.join();
  int first_half = 0;
  for (std::size_t i = 0; i != 10; ++i) first_half += static_cast<int>(served[i]);
  CHECK(first_half >= 4);
}

TEST_CASE("those who wait for a full lane do not keep others out of theirs", "[contract][lanes]") {
  brigade::worker_pool pool{
      {.threads = 1, .capacity = 4, .lanes = {{.capacity = 0}, {.capacity = 1}}}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] {}, {.lane = 1}));
  auto waiting =
      pool.async_submit([] {}, {.when_full = overflow::wait, .lane = 1}, asio::use_future);
  CHECK(test::wait_until([&] { return !pool.try_post([] {}); }));
  CHECK(pool.try_post([] {}, {.lane = 1}) == errc::queue_full);
  CHECK(pool.metrics().waiting == 1);
  gate.open();
  waiting.get();
  pool.join();
  CHECK(balanced(pool.metrics()));
}

TEST_CASE("the oldest of its own lane makes way", "[contract][lanes]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 3, .lanes = {{}, {}}}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] {}, {.lane = 0}));
  REQUIRE_FALSE(pool.try_post([] {}, {.lane = 1}));
  REQUIRE_FALSE(pool.try_post([] {}, {.when_full = overflow::drop_oldest, .lane = 1}));
  auto const m = pool.metrics();
  CHECK(m.lanes[0].shed == 0);
  CHECK(m.lanes[1].shed == 1);
  CHECK(m.lanes[1].queued_jobs == 1);
  CHECK(balanced(m));
}

TEST_CASE("stop and drain reach every lane", "[contract][lanes]") {
  auto const stops = GENERATE(false, true);
  brigade::worker_pool pool{{.threads = 1, .capacity = 16, .lanes = {{}, {}, {}}}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  for (unsigned lane = 0; lane != 3; ++lane) {
    for (int i = 0; i != 4; ++i) REQUIRE_FALSE(pool.try_post([] {}, {.lane = lane}));
  }
  auto drained = pool.async_drain(asio::use_future);
  if (stops) pool.stop();
  gate.open();
  drained.get();
  auto const m = pool.metrics();
  CHECK((stops ? m.cancelled : m.completed) >= 12);
  CHECK(m.state == brigade::pool_state::stopped);
  CHECK(balanced(m));
}

TEST_CASE("both bounds hold in every snapshot", "[stress][lanes]") {
  brigade::worker_pool pool{
      {.threads = 2, .capacity = 6, .lanes = {{.capacity = 4, .weight = 2}, {.capacity = 3}, {}}}};
  std::atomic<bool> over{false};
  std::atomic<int> unbalanced{0};
  std::atomic<int> in_lane[3] = {};
  std::atomic<int> most[3] = {};
  std::thread watcher([&] {
    while (!over) {
      if (!balanced(pool.metrics())) unbalanced.fetch_add(1);
    }
  });
  std::atomic<int> admitted{0};
  std::atomic<int> ran{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t != 4; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i != 6'000; ++i) {
        auto const lane = (i + t) % 3;
        auto const verdict = pool.try_post(
            [&, lane] {
              auto const now = in_lane[lane].fetch_add(1) + 1;
              if (now > most[lane]) most[lane] = now;
              ran.fetch_add(1);
              in_lane[lane].fetch_sub(1);
            },
            {.lane = lane});
        if (!verdict) admitted.fetch_add(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  pool.join();
  over = true;
  watcher.join();
  CHECK(unbalanced == 0);
  CHECK(ran == admitted);
  CHECK(balanced(pool.metrics()));
  CHECK(pool.metrics().admitted == static_cast<std::uint64_t>(admitted.load()));
}

// Found by a storm.
TEST_CASE("what ended in the queue, and permits, are no part of a lane's share of a round",
          "[contract][lanes]") {
  asio::io_context host;
  brigade::worker_pool pool{host.get_executor(), {.threads = 1, .capacity = 16, .lanes = {{}, {}}}};
  std::vector<unsigned> order;
  asio::cancellation_signal give_up;
  auto const post = [&](unsigned lane) {
    REQUIRE_FALSE(pool.try_post([&order, lane] { order.push_back(lane); }, {.lane = lane}));
  };
  post(0);
  pool.async_submit([] {}, {.lane = 0},
                    asio::bind_cancellation_slot(give_up.slot(), asio::detached));
  auto const slot = pool.try_reserve({.lane = 0});
  post(0);
  for (int i = 0; i != 3; ++i) post(1);
  give_up.emit(asio::cancellation_type::terminal);
  host.run();
  CHECK(order == std::vector<unsigned>{0, 1, 0, 1, 1});
}
