// The pool's end: closed or stopped while jobs are posted.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>

#include "schedules/scenario.hpp"
#include "schedules/small_pool.hpp"

namespace test::schedules {

namespace {

void close(world& w) {
  small_pool pool(w, {.workers = 2, .capacity = 2});
  for (std::size_t i : {0U, 1U}) {
    w.thread("submitter", [&, i] {
      auto const verdict = pool.post(i);
      w.expect(verdict != brigade::errc::queue_full, "refused, though there was room");
    });
  }
  w.thread("closer", [&] { pool.close(); });
  pool.add_workers();
  w.run();
  w.expect_ended(0, 3);
  pool.expect_settled();
  pool.expect_drained();
}

// A job that runs may submit another one while the pool drains.
void close_beside_a_submitting_job(world& w) {
  small_pool pool(w, {.workers = 2, .capacity = 2});
  w.thread("submitter", [&] {
    static_cast<void>(pool.post(0, [](small_pool& p) {
      world::current().expect(!p.post(1), "a running job was refused");
    }));
  });
  w.thread("closer", [&] { pool.close(); });
  pool.add_workers();
  w.run();
  w.expect_ended(0, 2);
  pool.expect_settled();
  pool.expect_drained();
}

void stop(world& w) {
  small_pool pool(w, {.workers = 1, .capacity = 2});
  for (std::size_t i : {0U, 1U}) {
    w.thread("submitter", [&, i] { static_cast<void>(pool.post(i)); });
  }
  w.thread("stopper", [&] { pool.stop(); });
  pool.add_workers();
  w.run();
  w.expect_ended(0, 3);
  pool.expect_settled();
  pool.expect_drained();
}

// Nobody comes for a job: who stops ends it, or who has posted it.
void stop_beside_stuck_workers(world& w) {
  small_pool pool(w, {.workers = 2, .capacity = 2});
  for (std::size_t i : {0U, 1U}) {
    w.thread("submitter", [&, i] { static_cast<void>(pool.post(i)); });
  }
  w.thread("stopper", [&] { pool.stop(); });
  w.run();
  w.expect_ended(0, 3);
  pool.expect_empty_queue();
  pool.expect_drained();
}

// The job may be published behind the empty place of a permit, which hides it from who stops.
void stop_beside_a_permit(world& w) {
  small_pool pool(w, {.workers = 1, .capacity = 2});
  w.thread("reserver", [&] { pool.reserve(); });
  w.thread("submitter", [&] { static_cast<void>(pool.post(0)); });
  w.thread("stopper", [&] { pool.stop(); });
  w.run();
  w.expect_ended(0, 3);
  pool.expect_empty_queue();
  pool.expect_drained();
}

constexpr std::array scenarios{
    scenario{"close", close, {1, 1}, {2, 1}},
    scenario{"close, a job submits", close_beside_a_submitting_job, {1, 1}, {2, 1}},
    scenario{"stop", stop, {1, 1}, {2, 1}},
    scenario{"stop, a permit", stop_beside_a_permit, {2, 0}, {2, 1}},
    scenario{"stop, workers stuck", stop_beside_stuck_workers, {2, 0}, {2, 1}},
};

}  // namespace

std::span<scenario const> const ending_scenarios = scenarios;

}  // namespace test::schedules
