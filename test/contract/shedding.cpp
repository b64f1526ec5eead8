// pool_options::shedding, end to end; its decisions are tested in unit/codel_controller.cpp.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::codel;
using brigade::errc;
using brigade::to_error_code;
using namespace std::chrono_literals;

TEST_CASE("a standing queue sheds what was queued for too long, and tells it",
          "[contract][shedding]") {
  brigade::worker_pool pool{
      {.threads = 1, .capacity = 4096, .shedding = codel{.target = 1ms, .interval = 2ms}}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::atomic<int> ran{0};
  std::atomic<int> shed{0};
  std::atomic<int> told{0};
  auto const submit = [&] {
    pool.async_submit(
        [&ran] {
          ran.fetch_add(1);
          auto const until = std::chrono::steady_clock::now() + 500us;
          while (std::chrono::steady_clock::now() < until) {
          }
        },
        [&](std::exception_ptr failure) {
          if (to_error_code(failure) == errc::shed) shed.fetch_add(1);
          told.fetch_add(1);
        });
  };
  for (int i = 0; i != 200; ++i) submit();
  gate.open();
  CHECK(test::wait_until([&] { return told == 200; }));
  CHECK(shed > 0);
  CHECK(ran + shed == 200);
  auto const m = pool.metrics();
  CHECK(m.shed == static_cast<std::uint64_t>(shed.load()));
  CHECK(m.admitted == m.completed + m.shed + m.queued_jobs + m.running_jobs);
}

TEST_CASE("jobs that are not queued for long are not shed", "[contract][shedding]") {
  brigade::worker_pool pool{{.threads = 1, .shedding = codel{.target = 1min, .interval = 1ms}}};
  for (int i = 0; i != 50; ++i) {
    CHECK(pool.async_submit([i] { return i; }, asio::use_future).get() == i);
  }
  CHECK(pool.metrics().shed == 0);
}

TEST_CASE("shedding's times are checked", "[contract][shedding]") {
  CHECK_THROWS_AS(brigade::worker_pool({.shedding = codel{.target = 0ms}}), std::invalid_argument);
  CHECK_THROWS_AS(brigade::worker_pool({.shedding = codel{.interval = -1ms}}),
                  std::invalid_argument);
}
