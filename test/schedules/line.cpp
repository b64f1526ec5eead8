// The waiting line: whoever waits gets the slot that comes free.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>

#include "schedules/scenario.hpp"
#include "schedules/small_pool.hpp"

namespace test::schedules {

namespace {

void finish(world& w, small_pool& pool, unsigned waiters) {
  pool.add_workers();
  pool.add_strand();
  w.run();
  w.expect_ended(0, waiters);
  w.expect(pool.told_in_line() == waiters, "somebody waits for ever");
  pool.expect_settled();
}

// A job has the only slot, and others wait for it.
void wait_for_the_slot(world& w, unsigned waiters) {
  small_pool pool(w, {.workers = 1, .capacity = 1});
  w.expect(!pool.post(0), "refused, though there was room");
  for (std::size_t i = 1; i <= waiters; ++i) {
    w.thread("waiter", [&pool, i] { pool.wait_in_line(i); });
  }
  finish(w, pool, waiters);
}

void one_waits(world& w) { wait_for_the_slot(w, 1); }
void two_wait(world& w) { wait_for_the_slot(w, 2); }

// The worker ends a job, and is then busy with one that goes on until the waiter has a slot.
void one_waits_beside_a_long_job(world& w) {
  small_pool pool(w, {.workers = 1, .capacity = 2});
  w.expect(!pool.post(0), "refused, though there was room");
  w.expect(!pool.post(1, [](small_pool& p) { p.await_told(); }), "refused, though there was room");
  w.thread("waiter", [&] { pool.wait_in_line(2); });
  finish(w, pool, 1);
}

// Somebody else may take the slot before the waiter has come, or be refused.
void newcomer(world& w) {
  small_pool pool(w, {.workers = 1, .capacity = 1});
  w.expect(!pool.post(0), "refused, though there was room");
  w.thread("waiter", [&] { pool.wait_in_line(1); });
  w.thread("newcomer", [&] { static_cast<void>(pool.post(2)); });
  finish(w, pool, 1);
}

// The waiter is admitted or sent away.
void close_beside_a_waiter(world& w) {
  small_pool pool(w, {.workers = 1, .capacity = 1});
  w.expect(!pool.post(0), "refused, though there was room");
  w.thread("waiter", [&] { pool.wait_in_line(1); });
  w.thread("closer", [&] { pool.close(); });
  pool.add_workers();
  pool.add_strand();
  w.run();
  w.expect_ended(0, 2);
  w.expect(pool.told_in_line() == 1, "somebody waits for ever");
  pool.expect_settled();
  pool.expect_drained();
}

constexpr std::array scenarios{
    scenario{"line", one_waits, {2, 0}, {2, 1}},
    scenario{"line, two wait", two_wait, {1, 1}, {2, 1}},
    scenario{"line and a newcomer", newcomer, {1, 1}, {2, 1}},
    scenario{"line beside a long job", one_waits_beside_a_long_job, {2, 0}, {2, 1}},
    scenario{"line and close", close_beside_a_waiter, {2, 0}, {2, 1}},
};

}  // namespace

std::span<scenario const> const line_scenarios = scenarios;

}  // namespace test::schedules
