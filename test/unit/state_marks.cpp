// detail/state_marks.hpp: when a pool reached its states.
// SPDX-License-Identifier: BSL-1.0
#include <chrono>

#include <brigade/detail/state_marks.hpp>

#include "support/catch.hpp"

using brigade::pool_state;
using brigade::detail::state_marks;
using namespace std::chrono_literals;

TEST_CASE("a new pool has only been running", "[unit][state_marks]") {
  state_marks const marks{100};
  auto const times = marks.read(130);
  CHECK(times.running == 30ns);
  CHECK(times.lame_duck + times.draining + times.cancelling + times.stopped == 0ns);
}

TEST_CASE("a state ends where the next one begins", "[unit][state_marks]") {
  state_marks marks{100};
  marks.reach(pool_state::lame_duck, 110);
  marks.reach(pool_state::draining, 130);
  CHECK(marks.read(135).draining == 5ns);
  marks.reach(pool_state::cancelling, 160);
  marks.reach(pool_state::stopped, 200);
  auto const times = marks.read(250);
  CHECK(times.running == 10ns);
  CHECK(times.lame_duck == 20ns);
  CHECK(times.draining == 30ns);
  CHECK(times.cancelling == 40ns);
  CHECK(times.stopped == 50ns);
  CHECK(times[pool_state::cancelling] == 40ns);
}

TEST_CASE("a skipped state took no time", "[unit][state_marks]") {
  state_marks marks{100};
  marks.reach(pool_state::cancelling, 110);
  auto const times = marks.read(150);
  CHECK(times.running == 10ns);
  CHECK(times.lame_duck + times.draining + times.stopped == 0ns);
  CHECK(times.cancelling == 40ns);
}

TEST_CASE("only the first to reach a state marks it", "[unit][state_marks]") {
  state_marks marks{100};
  marks.reach(pool_state::draining, 110);
  marks.reach(pool_state::draining, 190);
  CHECK(marks.read(200).draining == 90ns);
}

TEST_CASE("marks that were set out of order make no negative time", "[unit][state_marks]") {
  state_marks marks{100};
  marks.reach(pool_state::cancelling, 110);
  marks.reach(pool_state::draining, 120);
  auto const times = marks.read(130);
  CHECK(times.running == 10ns);
  CHECK(times.draining == 0ns);
  CHECK(times.cancelling == 20ns);
}
