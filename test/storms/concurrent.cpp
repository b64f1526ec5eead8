// Random programs by several threads at once on one pool. What becomes of each job is chance; that
// it is one thing, and that the ledger is the sum of them, is not.
//
// RC_PARAMS="reproduce=..." replays a program that has failed, though not the times at which its
// threads came to the same place.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <vector>

#include <rapidcheck.h>

#include "storms/crowd.hpp"
#include "storms/program.hpp"
#include "support/catch.hpp"

namespace {

void rage(bool endings) {
  auto const setup = *storms::setups();
  std::vector<storms::program> programs;
  for (int thread = 0; thread != 3; ++thread) programs.push_back(*storms::programs(endings));
  auto const pool = storms::make_pool(setup);
  storms::crowd crowd(*pool, setup.group_bound, programs);
  if (auto const wrong = crowd.storm(true); !wrong.empty()) RC_FAIL(wrong);
}

}  // namespace

TEST_CASE("of every job one thing becomes, whatever three threads do to the pool",
          "[storms][concurrent]") {
  CHECK(rc::check("each job's outcome is one, and the ledger is their sum", [] { rage(false); }));
}

TEST_CASE("of every job one thing becomes, whatever ends the pool in the middle",
          "[storms][concurrent]") {
  CHECK(rc::check("each job's outcome is one, and the ledger is their sum", [] { rage(true); }));
}
