// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/codel_controller.hpp>

#include "support/catch.hpp"

using brigade::codel;
using brigade::detail::codel_controller;
using namespace std::chrono_literals;

namespace {

struct queue {
  codel_controller control{codel{.target = 5ms, .interval = 100ms}};
  std::uint32_t now = 1'000;

  bool job(std::uint32_t queued_for) { return control.sheds(now - queued_for, now); }
};

}  // namespace

TEST_CASE("a burst is not shed, however long its jobs were queued", "[unit][codel]") {
  queue q;
  CHECK_FALSE(q.job(0));
  for (int i = 0; i != 99; ++i) {
    ++q.now;
    CHECK_FALSE(q.job(50));
  }
}

TEST_CASE("a standing queue is shed from the second interval on", "[unit][codel]") {
  queue q;
  CHECK_FALSE(q.job(50));
  for (int i = 0; i != 99; ++i) {
    ++q.now;
    CHECK_FALSE(q.job(50));
  }
  ++q.now;
  CHECK(q.job(50));
  CHECK_FALSE(q.job(10));  // not more than twice the target
  CHECK(q.job(11));
}

TEST_CASE("one job that was not queued for long ends it", "[unit][codel]") {
  queue q;
  for (int i = 0; i != 150; ++i, ++q.now) q.job(50);
  CHECK(q.job(50));
  q.job(3);
  q.now += 100;
  CHECK_FALSE(q.job(50));
}

TEST_CASE("a pause ends it, too", "[unit][codel]") {
  queue q;
  for (int i = 0; i != 150; ++i, ++q.now) q.job(50);
  CHECK(q.job(50));
  q.now += 100'000;
  CHECK_FALSE(q.job(0));
  for (int i = 0; i != 20; ++i) {
    ++q.now;
    CHECK_FALSE(q.job(40));
  }
}

TEST_CASE("jobs that each take longer than an interval are judged all the same", "[unit][codel]") {
  queue q;
  q.job(0);
  bool shed = false;
  for (int i = 0; i != 5; ++i) {
    q.now += 300;
    shed = q.job(1'000);
  }
  CHECK(shed);
}

TEST_CASE("the milliseconds may wrap around", "[unit][codel]") {
  queue q;
  q.now = 0xffff'ffff - 60;
  for (int i = 0; i != 150; ++i, ++q.now) q.job(50);
  CHECK(q.job(50));
}
