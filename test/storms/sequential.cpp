// Random programs of the whole public API against a sequential model, one command after the other.
//
// A program that fails is made as short as possible and printed, with the RC_PARAMS that replay it:
//   RC_PARAMS="reproduce=..." build/release/test/storms/storms_sequential
// More, or longer, programs: RC_PARAMS="max_success=10000 max_size=200".
// SPDX-License-Identifier: BSL-1.0
#include <rapidcheck.h>

#include "storms/driver.hpp"
#include "storms/program.hpp"
#include "support/catch.hpp"

namespace {

void check(storms::setup const& setup, storms::program const& program) {
  storms::driver pool(setup);
  for (std::size_t step = 0; step != program.size(); ++step) {
    if (auto const wrong = pool.execute(program[step]); !wrong.empty()) {
      RC_FAIL(fmt::format("after command {}: {}", step, wrong));
    }
  }
  if (auto const wrong = pool.finish(); !wrong.empty()) RC_FAIL("at the end: " + wrong);
}

}  // namespace

TEST_CASE("whatever a program does to a pool, the pool does what the model says",
          "[storms][sequential]") {
  CHECK(rc::check("pool and model agree", [] {
    auto const setup = *storms::setups();
    auto const program = *storms::programs(false);
    check(setup, program);
  }));
}

TEST_CASE("whatever ends a pool in the middle of a program, the pool does what the model says",
          "[storms][sequential]") {
  CHECK(rc::check("pool and model agree", [] {
    auto const setup = *storms::setups();
    auto const program = *storms::programs(true);
    check(setup, program);
  }));
}
