// How long a turn goes on, and how often it reads the clock for that.
// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstdint>

#include <brigade/detail/turn_budget.hpp>
#include <brigade/detail/worker_activity.hpp>

#include "support/catch.hpp"

using brigade::detail::turn_budget;
using brigade::detail::worker_activity;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

namespace {

struct told_time {
  static inline std::int64_t at = 0;  // nanoseconds
  static inline unsigned readings = 0;
  static std::int64_t now() noexcept {
    ++readings;
    return at;
  }
  struct ticks {
    static constexpr bool exists = true;
    static std::uint64_t now() noexcept { return static_cast<std::uint64_t>(at) * 3; }
  };
};
struct without_ticks : told_time {
  struct ticks : told_time::ticks {
    static constexpr bool exists = false;
  };
};

/// A turn whose jobs take as long as they are told to.
template <class Time>
class turn {
 public:
  turn(unsigned jobs, nanoseconds time) : budget_(jobs, time, told_time::at) {
    told_time::readings = 0;
  }

  /// True: the turn is over.
  bool run(nanoseconds job) {
    told_time::at += job.count();
    ++ran_;
    return budget_.spent(activity_);
  }
  /// One at whose end the clock is read.
  bool run_timed(nanoseconds job) {
    activity_.start();
    told_time::at += job.count();
    activity_.ended(told_time::at);
    ++ran_;
    return budget_.spent(activity_);
  }
  /// Runs jobs of that length until the turn is over; gives how many it has run in all.
  unsigned run_to_the_end(nanoseconds job) {
    while (!run(job)) REQUIRE(ran_ < 1'000'000);
    return ran_;
  }
  turn_budget<Time>& budget() { return budget_; }

 private:
  worker_activity activity_;
  turn_budget<Time> budget_;
  unsigned ran_ = 0;
};

}  // namespace

TEMPLATE_TEST_CASE("a turn runs as many jobs as it may, to the job", "[unit][turn_budget]",
                   told_time, without_ticks) {
  auto const jobs = GENERATE(1U, 2U, 7U, 8U, 9U, 255U, 256U, 1'000U);
  auto const each = GENERATE(nanoseconds(1), nanoseconds(500), nanoseconds(5'000));
  CHECK(turn<TestType>(jobs, std::chrono::seconds(1)).run_to_the_end(each) == jobs);
}

TEMPLATE_TEST_CASE("of long jobs a turn runs none that begins after its time",
                   "[unit][turn_budget]", told_time, without_ticks) {
  CHECK(turn<TestType>(1'000'000, microseconds(500)).run_to_the_end(microseconds(100)) == 5);
  CHECK(turn<TestType>(1'000'000, microseconds(500)).run_to_the_end(microseconds(501)) == 1);
  CHECK(turn<TestType>(1'000'000, microseconds(10)).run_to_the_end(microseconds(9)) == 2);
}

TEMPLATE_TEST_CASE("when tiny jobs turn long of a sudden, at most eight more are run",
                   "[unit][turn_budget]", told_time, without_ticks) {
  for (unsigned tiny = 0; tiny != 100; ++tiny) {
    turn<TestType> one(1'000'000, microseconds(500));
    for (unsigned i = 0; i != tiny; ++i) REQUIRE_FALSE(one.run(nanoseconds(20)));
    REQUIRE(one.run_to_the_end(std::chrono::milliseconds(1)) <= tiny + 8);
  }
}

TEST_CASE("a turn of tiny jobs is over an eighth after its time at the latest",
          "[unit][turn_budget]") {
  auto const time = GENERATE(microseconds(1), microseconds(10), microseconds(500));
  auto const each = GENERATE(nanoseconds(10), nanoseconds(100), nanoseconds(300));
  auto const began = told_time::at;
  turn<told_time>(1'000'000, time).run_to_the_end(each);
  CHECK(nanoseconds(told_time::at - began) <= time + time / 8 + 8 * each);
}

TEST_CASE("of tiny jobs the clock is read after every eighth, or every 32nd beside a tick counter",
          "[unit][turn_budget]") {
  turn<told_time> with(1'000'000, std::chrono::seconds(1));
  for (int i = 0; i != 3'200; ++i) with.run(nanoseconds(20));
  CHECK(told_time::readings >= 100);
  CHECK(told_time::readings <= 105);
  turn<without_ticks> without(1'000'000, std::chrono::seconds(1));
  for (int i = 0; i != 3'200; ++i) without.run(nanoseconds(20));
  CHECK(told_time::readings >= 400);
  CHECK(told_time::readings <= 405);
}

TEST_CASE("after a long job the clock is read after every job again", "[unit][turn_budget]") {
  turn<told_time> one(1'000'000, std::chrono::seconds(1));
  for (int i = 0; i != 100; ++i) one.run(nanoseconds(20));
  for (int i = 0; i != 8; ++i) one.run(microseconds(100));
  auto const before = told_time::readings;
  for (int i = 0; i != 50; ++i) one.run(microseconds(100));
  CHECK(told_time::readings == before + 50);
}

TEST_CASE("where the clock was read at a job's end it is not read once more",
          "[unit][turn_budget]") {
  turn<told_time> one(1'000'000, microseconds(500));
  for (int i = 0; i != 4; ++i) REQUIRE_FALSE(one.run_timed(microseconds(100)));
  CHECK(told_time::readings == 0);
  CHECK(one.run_timed(microseconds(100)));
  CHECK(told_time::readings == 0);
}

TEST_CASE("jobs are counted since the last time that somebody asked", "[unit][turn_budget]") {
  turn<told_time> one(1'000'000, std::chrono::seconds(1));
  CHECK(one.budget().take_count() == 0);
  for (int i = 0; i != 100; ++i) one.run(nanoseconds(20));
  CHECK(one.budget().take_count() == 100);
  one.run(microseconds(100));
  CHECK(one.budget().take_count() == 1);
  CHECK(one.budget().take_count() == 0);
}

TEMPLATE_TEST_CASE("at the end of a turn its jobs are counted to the job", "[unit][turn_budget]",
                   told_time, without_ticks) {
  auto const jobs = GENERATE(1U, 2U, 7U, 8U, 9U, 255U, 256U, 1'000U);
  auto const each = GENERATE(nanoseconds(1), nanoseconds(5'000), nanoseconds(1'000'000));
  turn<TestType> one(jobs, microseconds(500));
  auto const ran = one.run_to_the_end(each);
  CHECK(one.budget().take_count() == ran);
  CHECK(one.budget().take_count() == 0);
}
