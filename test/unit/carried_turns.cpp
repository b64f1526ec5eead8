// When a thread that runs the turns of several workers makes way for another one.
// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstdint>
#include <utility>

#include <brigade/detail/carried_turns.hpp>

#include "support/catch.hpp"

using brigade::detail::carried_turns;
using namespace std::chrono_literals;

namespace {

/// A thread whose turns take `turn`, with a patience of 500 of its microseconds.
struct worker_thread {
  carried_turns carried;
  std::chrono::nanoseconds turn;
  std::int64_t now = 1'000'000'000'000;
  unsigned other = 1;

  bool end_turn(unsigned slot) {
    now += turn.count();
    return carried.end_turn(slot, now, 500us);
  }
  /// Ends turns of slots 1 and 0, one after the other, until it is to make way; gives how long that
  /// took.
  std::chrono::nanoseconds until_makes_way() {
    auto const began = now;
    while (!end_turn(std::exchange(other, 1 - other))) REQUIRE(now - began < 1'000'000'000);
    return std::chrono::nanoseconds{now - began};
  }
};

}  // namespace

TEST_CASE("a thread that carries one worker's turns does not make way", "[unit]") {
  worker_thread thread{{}, 100us};
  for (int i = 0; i != 1'000; ++i) CHECK_FALSE(thread.end_turn(3));
}

TEST_CASE("a thread that has changed workers once does not make way", "[unit]") {
  worker_thread thread{{}, 1ms};
  CHECK_FALSE(thread.end_turn(0));
  CHECK_FALSE(thread.end_turn(1));
  for (int i = 0; i != 1'000; ++i) CHECK_FALSE(thread.end_turn(1));
}

TEST_CASE("a thread that carries several workers' turns makes way, less and less often", "[unit]") {
  worker_thread thread{{}, 100us};
  CHECK_FALSE(thread.end_turn(0));
  CHECK(thread.until_makes_way() == 500us);
  for (auto const time : {1ms, 2ms, 4ms, 8ms, 16ms, 16ms}) CHECK(thread.until_makes_way() == time);
}

TEST_CASE("a thread whose turns come without others between begins anew", "[unit]") {
  worker_thread thread{{}, 100us};
  CHECK_FALSE(thread.end_turn(0));
  CHECK(thread.until_makes_way() == 500us);
  CHECK_FALSE(thread.end_turn(7));
  CHECK_FALSE(thread.end_turn(7));
  CHECK(thread.until_makes_way() == 500us);
}

TEST_CASE("a thread that was idle does not take the last turn before that for a change", "[unit]") {
  worker_thread thread{{}, 100us};
  for (unsigned slot = 0; slot != 100; ++slot) {
    CHECK_FALSE(thread.end_turn(slot));
    CHECK_FALSE(thread.end_turn(slot + 1));
    thread.carried.rest();
    thread.now += 10'000'000;
  }
}
