// The crew alone: a slot is in one hand at a time, and goes from hand to hand with all that was
// done in it.
// SPDX-License-Identifier: BSL-1.0
#include <array>

#include <brigade/detail/crew.hpp>
#include <brigade/detail/relax.hpp>

#include "schedules/scenario.hpp"

namespace test::schedules {

namespace {

void slots(world& w) {
  brigade::detail::crew workers(2);
  std::array<char, 2> slot_of{};  // what the turns of a slot have in common
  for (int i = 0; i != 3; ++i) {
    w.thread("worker", [&] {
      for (int turn = 0; turn != 2;) {
        unsigned slot = 0;
        if (!workers.claim_wake(slot)) {
          brigade::detail::relax(1);
          continue;
        }
        w.expect(slot < slot_of.size(), "a slot that is none");
        w.touch(&slot_of[slot]);
        workers.end_search();
        w.touch(&slot_of[slot]);
        workers.go_idle(slot, false);
        ++turn;
      }
    });
  }
  w.run();
  w.expect_ended(0, 3);
  w.expect(workers.busy() == 0, "a slot was not given back");
}

constexpr std::array scenarios{
    scenario{"crew", slots, {2, 0}, {2, 1}},
};

}  // namespace

std::span<scenario const> const crew_scenarios = scenarios;

}  // namespace test::schedules
