// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/crew.hpp>

#include <atomic>
#include <cstdint>
#include <set>
#include <type_traits>

#include <brigade/detail/atomic.hpp>

#include "support/catch.hpp"

using brigade::detail::crew;

// What test/schedules puts in its place costs nothing anywhere else.
static_assert(std::is_same_v<brigade::detail::atomic<std::uint64_t>, std::atomic<std::uint64_t>>);

TEST_CASE("an idle crew is woken one worker at a time", "[unit][crew]") {
  crew workers(3);
  unsigned slot = 0;
  REQUIRE(workers.needs_wake());
  REQUIRE(workers.claim_wake(slot));
  CHECK_FALSE(workers.needs_wake());
  CHECK_FALSE(workers.claim_wake(slot));
  workers.end_search();
  CHECK(workers.busy() == 1);
  CHECK(workers.claim_wake(slot));
}

TEST_CASE("every worker gets a slot of its own", "[unit][crew]") {
  crew workers(5);
  std::set<unsigned> slots;
  unsigned slot = 0;
  while (workers.claim_wake(slot)) {
    slots.insert(slot);
    workers.end_search();
  }
  CHECK(slots == std::set<unsigned>{0, 1, 2, 3, 4});
  CHECK(workers.busy() == 5);
}

TEST_CASE("the worker that went idle last is woken first", "[unit][crew]") {
  crew workers(3);
  unsigned a = 0;
  unsigned b = 0;
  unsigned woken = 0;
  REQUIRE(workers.claim_wake(a));
  workers.end_search();
  REQUIRE(workers.claim_wake(b));
  workers.end_search();
  workers.go_idle(b, false);
  workers.go_idle(a, false);
  REQUIRE(workers.claim_wake(woken));
  CHECK(woken == a);
}

TEST_CASE("only one worker searches", "[unit][crew]") {
  crew workers(2);
  unsigned slot = 0;
  REQUIRE(workers.claim_wake(slot));
  workers.end_search();
  REQUIRE(workers.claim_wake(slot));
  CHECK_FALSE(workers.begin_search());
  workers.end_search();
  CHECK(workers.begin_search());
  CHECK_FALSE(workers.begin_search());
}

TEST_CASE("a searcher that goes idle leaves the role to the next wake", "[unit][crew]") {
  crew workers(2);
  unsigned slot = 0;
  REQUIRE(workers.claim_wake(slot));
  workers.go_idle(slot, true);
  CHECK(workers.needs_wake());
  CHECK(workers.busy() == 0);
}

TEST_CASE("the alarm reaches every submitter and disturbs no count", "[unit][crew]") {
  crew workers(1);
  unsigned slot = 0;
  REQUIRE(workers.claim_wake(slot));
  CHECK_FALSE(workers.needs_wake());
  workers.raise_alarm();
  CHECK(workers.needs_wake());
  CHECK_FALSE(workers.claim_wake(slot));
  CHECK(workers.busy() == 1);
  workers.go_idle(slot, true);
  CHECK(workers.claim_wake(slot));
}
