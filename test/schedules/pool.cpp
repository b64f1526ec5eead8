// The pool's every day: jobs are posted, workers are woken, take them, and go to sleep.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>

#include "schedules/scenario.hpp"
#include "schedules/small_pool.hpp"

namespace test::schedules {

namespace {

// Each of `submitters` posts one job.
void everyone_posts(world& w, small_pool::shape const& s, std::size_t submitters) {
  small_pool pool(w, s);
  for (std::size_t i = 0; i != submitters; ++i) {
    w.thread("submitter", [&pool, i] { pool.post_patiently(i); });
  }
  pool.add_workers();
  w.run();
  w.expect_ended(0, submitters);
  pool.expect_settled();
  w.expect(pool.ran() == submitters, "a job did not run");
}

void one_slot(world& w) { everyone_posts(w, {.workers = 2, .capacity = 1}, 2); }
void two_slots(world& w) { everyone_posts(w, {.workers = 2, .capacity = 2}, 2); }
void one_worker(world& w) { everyone_posts(w, {.workers = 1, .capacity = 2}, 2); }

// Two jobs by one submitter, and turns that are over after one.
void short_turns(world& w) {
  small_pool pool(w, {.workers = 2, .capacity = 2, .turn_jobs = 1});
  w.thread("submitter", [&] {
    w.expect(!pool.post(0), "refused, though there was room");
    w.expect(!pool.post(1), "refused, though there was room");
  });
  pool.add_workers();
  w.run();
  w.expect_ended(0, 1);
  pool.expect_settled();
  w.expect(pool.ran() == 2, "a job did not run");
}

// One worker searches, the other one is between two jobs. Two more come, of which the first goes on
// until the second has run: so that one must not wait for the worker of the first.
void long_job(world& w) {
  small_pool pool(w, {.workers = 2, .capacity = 2});
  pool.begin_two_turns();
  pool.add_workers();
  w.thread("submitter", [&] {
    w.expect(!pool.post(0, [](small_pool& p) { p.await_told(); }),
             "refused, though there was room");
    w.expect(!pool.post(1, [](small_pool& p) { p.tell(); }), "refused, though there was room");
  });
  w.run();
  w.expect_ended(2, 3);
  w.expect(pool.ran() == 2, "a job waits for another one, beside an idle worker");
  pool.expect_settled();
}

// Two jobs are posted at once, and one worker is woken for them. It wakes the other.
void in_bulk(world& w) {
  small_pool pool(w, {.workers = 2, .capacity = 2});
  w.thread("submitter", [&] {
    auto const count =
        pool.post_two([](small_pool& p) { p.await_told(); }, [](small_pool& p) { p.tell(); });
    w.expect(count == 2, "refused, though there was room");
  });
  pool.add_workers();
  w.run();
  w.expect_ended(0, 1);
  w.expect(pool.ran() == 2, "a job waits for another one, beside an idle worker");
  pool.expect_settled();
}

// A permit leaves an empty place, which the job behind it may be published before.
void permit(world& w) {
  small_pool pool(w, {.workers = 1, .capacity = 2});
  w.thread("reserver", [&] { pool.reserve(); });
  w.thread("submitter", [&] { w.expect(!pool.post(0), "refused, though there was room"); });
  pool.add_workers();
  w.run();
  w.expect_ended(0, 2);
  pool.expect_settled();
}

// A place in the lane is taken, and given up where the other one has got the pool's only slot; that
// one's job may be published behind it.
void two_lanes(world& w) { everyone_posts(w, {.workers = 1, .capacity = 1, .two_lanes = true}, 2); }

constexpr std::array scenarios{
    scenario{"pool, one slot", one_slot, {1, 1}, {2, 1}},
    scenario{"pool, two slots", two_slots, {1, 1}, {2, 1}},
    scenario{"pool, one worker", one_worker, {2, 0}, {3, 1}},
    scenario{"pool, short turns", short_turns, {1, 1}, {2, 1}},
    scenario{"pool, in bulk", in_bulk, {2, 0}, {3, 1}},
    scenario{"pool, a permit", permit, {2, 0}, {3, 1}},
    scenario{"pool, two lanes", two_lanes, {2, 0}, {2, 1}},
    scenario{"pool, a long job", long_job, {2, 0}, {2, 1}},
};

}  // namespace

std::span<scenario const> const pool_scenarios = scenarios;

}  // namespace test::schedules
