// Admission alone: the queue's gate, and the ledger that it reads. The bound is exact, who is
// admitted has seen what those did whose slots it has, and nobody is refused for a slot that was
// given back.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstdint>

#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/job_queue.hpp>
#include <brigade/detail/lane_set.hpp>
#include <brigade/detail/ledger.hpp>
#include <brigade/detail/relax.hpp>
#include <brigade/options.hpp>

#include "schedules/scenario.hpp"

namespace test::schedules {

namespace {

using namespace brigade::detail;

/// How many slots are held; known to nobody in the world.
class slots {
 public:
  explicit slots(std::uint64_t capacity) : capacity_(capacity) {}
  void take() {
    ++held_;
    world::current().expect(held_ <= capacity_, "more slots were given out than there are");
    // With one slot, all who ever had it come one after the other.
    if (capacity_ == 1) world::current().touch(this);
  }
  void give_back() { --held_; }

 private:
  std::uint64_t const capacity_;
  std::uint64_t held_ = 0;
};

// `callers` that each take a slot `rounds` times, and wait where there is none.
void compete(world& w, std::uint64_t capacity, unsigned callers, int rounds) {
  ledger counts(callers);
  job_queue queue(capacity, counts);
  slots of_queue(capacity);
  for (unsigned caller = 0; caller != callers; ++caller) {
    w.thread("caller", [&, caller] {
      for (int round = 0; round != rounds;) {
        auto const claim = queue.admit(submitter::outsider);
        if (claim.answer != verdict::admitted) {
          relax(1);
          continue;
        }
        of_queue.take();
        ++round;
        of_queue.give_back();
        counts.of_worker(caller).end(outcome::completed);
      }
    });
  }
  w.run();
  w.expect_ended(0, callers);
}

void one_slot(world& w) { compete(w, 1, 2, 2); }
void two_slots(world& w) { compete(w, 2, 3, 1); }

// The one slot goes to and fro between two who tell each other: neither is ever refused.
void handed_over(world& w) {
  ledger counts(2);
  job_queue queue(1, counts);
  slots of_queue(1);
  std::array<mailbox<int>, 2> told;
  told[0].give(0);
  for (unsigned caller : {0U, 1U}) {
    w.thread("caller", [&, caller] {
      for (int round = 0; round != 2; ++round) {
        told[caller].await();
        auto const claim = queue.admit(submitter::outsider);
        w.expect(claim.answer == verdict::admitted, "refused, though the slot was given back");
        of_queue.take();
        of_queue.give_back();
        // As a submission does: first the job's end is counted, then its handler is told.
        counts.of_worker(caller).end(outcome::completed);
        told[1 - caller].give(0);
      }
    });
  }
  w.run();
  w.expect_ended(0, 2);
}

// Two lanes before one bound, of one slot. A lane's position is withdrawn where the bound refuses.
void two_lanes(world& w) {
  brigade::pool_options options;
  options.capacity = 1;
  options.lanes = {{.capacity = 1, .weight = 1}, {.capacity = 1, .weight = 1}};
  ledger counts(2, 2);
  lane_set lanes(options, counts);
  slots of_pool(1);
  for (unsigned lane : {0U, 1U}) {
    w.thread("caller", [&, lane] {
      for (;;) {
        auto const claim = lanes.admit(lane, submitter::outsider);
        if (claim.answer == verdict::admitted) break;
        relax(1);
      }
      of_pool.take();
      of_pool.give_back();
      counts.of_worker(lane, lane).end(outcome::completed);
    });
  }
  w.run();
  w.expect_ended(0, 2);
}

constexpr std::array scenarios{
    scenario{"admission, one slot", one_slot, {2, 1}, {3, 1}},
    scenario{"admission, two slots", two_slots, {2, 0}, {3, 1}},
    scenario{"admission, slot handed over", handed_over, {2, 2}, {3, 3}},
    scenario{"admission, two lanes", two_lanes, {2, 0}, {3, 1}},
};

}  // namespace

std::span<scenario const> const admission_scenarios = scenarios;

}  // namespace test::schedules
