// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/ledger.hpp>

#include "support/catch.hpp"

using namespace brigade::detail;

TEST_CASE("counts of all workers and of all other threads add up", "[unit][ledger]") {
  ledger counts(2);
  counts.of_worker(0).start();
  counts.of_worker(0).end(outcome::completed);
  counts.of_worker(1).start();
  counts.of_worker(1).end(outcome::failed);
  counts.of_worker(1).start();
  counts.elsewhere().add_start();
  counts.elsewhere().add_end(outcome::cancelled);
  counts.elsewhere().add_end(outcome::voided);

  auto const sum = counts.read();
  CHECK(sum.started == 4);
  CHECK(sum[outcome::completed] == 1);
  CHECK(sum[outcome::failed] == 1);
  CHECK(sum[outcome::cancelled] == 1);
  CHECK(sum[outcome::voided] == 1);
  CHECK(sum.finished() == 4);
  CHECK(counts.finished() == 4);
}

TEST_CASE("each tally has a cache line of its own", "[unit][ledger]") {
  STATIC_REQUIRE(sizeof(tally) == 64);
  STATIC_REQUIRE(alignof(tally) == 64);
}
