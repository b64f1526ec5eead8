// The ways into a pool, as a table: what a job is submitted with, to a pool in which state, and
// what has to become of it. And the pool in that state.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace test {

/// What the pool has room for when the job comes. Its only worker is busy in any case.
enum class room { some, none, closed };

struct way_in {
  char const* name;
  room left;
  brigade::submit_options options;
  brigade::error_code ends = {};  // what its handler is told in the end
  bool by_permit = false;
};

/// All of them.
inline std::vector<way_in> ways_in() {
  using brigade::errc;
  using brigade::overflow;
  auto const never = brigade::clock::time_point::max();
  auto const past = brigade::clock::now() - std::chrono::seconds{1};
  return {
      {"reject, with room", room::some, {}},
      {"reject, when full", room::none, {}, errc::queue_full},
      {"wait, with room", room::some, {.when_full = overflow::wait}},
      {"wait, when full", room::none, {.when_full = overflow::wait}},
      {"wait until a deadline, when full",
       room::none,
       {.when_full = overflow::wait, .start_by = past},
       errc::expired},
      {"wait, when closed", room::closed, {.when_full = overflow::wait}, errc::closed},
      {"caller_runs, with room", room::some, {.when_full = overflow::caller_runs}},
      {"caller_runs, when full", room::none, {.when_full = overflow::caller_runs}},
      {"caller_runs by the past, when full",
       room::none,
       {.when_full = overflow::caller_runs, .start_by = past},
       errc::expired},
      {"caller_runs, when closed",
       room::closed,
       {.when_full = overflow::caller_runs},
       errc::closed},
      {"drop_oldest, with room", room::some, {.when_full = overflow::drop_oldest}},
      {"drop_oldest, when full", room::none, {.when_full = overflow::drop_oldest}},
      {"drop_oldest, when closed",
       room::closed,
       {.when_full = overflow::drop_oldest},
       errc::closed},
      {"with a permit, when full", room::none, {}, {}, true},
      {"with a permit, when closed", room::closed, {}, {}, true},
      {"in a lower lane, with room", room::some, {.lane = 1}},
      {"in a lower lane, when full", room::none, {.when_full = overflow::wait, .lane = 1}},
      {"started by a far time, with room", room::some, {.start_by = never}},
      {"started by the past, with room", room::some, {.start_by = past}, errc::expired},
      {"with a permit and started by the past, when full",
       room::none,
       {.start_by = past},
       errc::expired,
       true},
      {"with a name", room::some, {.name = "of a way in"}},
  };
}

/// A pool with a busy worker, in the state that a way in wants.
class occupied_pool {
 public:
  explicit occupied_pool(way_in const& way) : way_(way) {
    occupied_ = gate.occupy(pool, 1);
    if (way.by_permit) {
      if (auto got = pool.try_reserve({.lane = way.options.lane})) permit = std::move(*got);
    }
    while (way.left == room::none && !pool.try_post([] {})) ++queued_;
    if (way.left == room::closed) pool.close();
    auto const m = pool.metrics();
    refused_before_ = m.rejected.total();
  }

  [[nodiscard]] bool ready() const { return occupied_ && way_.by_permit == bool{permit}; }

  /// Whether the job is over before the worker is free.
  [[nodiscard]] bool ends_at_once() const {
    return way_.ends ||
           (way_.left == room::none && way_.options.when_full == brigade::overflow::caller_runs);
  }

  /// Ends the pool, and checks its books, in which the job must stand where it belongs.
  void check_books() {
    CHECK(wait_until([this] { return pool.metrics().waiting == 0; }));  // a join sends them away
    pool.join();
    using brigade::errc;
    using brigade::overflow;
    auto const m = pool.metrics();
    bool const full = way_.left == room::none;
    bool const in_caller = full && !way_.ends && way_.options.when_full == overflow::caller_runs;
    bool const drops = full && way_.options.when_full == overflow::drop_oldest;
    bool const never_admitted = full && (way_.options.when_full == overflow::wait ||
                                         way_.options.when_full == overflow::caller_runs);
    CHECK(m.admitted == m.completed + m.failed + m.cancelled + m.expired + m.shed + m.queued_jobs +
                            m.running_jobs);
    CHECK(m.queued_jobs + m.running_jobs + m.waiting + m.permits == 0);
    CHECK(m.completed == 1U + queued_ - drops + (!way_.ends && !in_caller));
    CHECK(m.caller_ran == (in_caller ? 1U : 0U));
    CHECK(m.shed == (drops ? 1U : 0U));
    CHECK(m.expired == (way_.ends == errc::expired && !never_admitted));
    CHECK(m.rejected.expired == (way_.ends == errc::expired && never_admitted));
    CHECK(m.rejected.total() - refused_before_ ==
          (way_.ends && (way_.ends != errc::expired || never_admitted) ? 1U : 0U));
    CHECK(m.failed + m.cancelled + m.handler_errors == 0);
  }

  brigade::worker_pool pool{
      {.threads = 1, .capacity = 4, .max_waiting = 4, .lanes = {{}, {.weight = 2}}}};
  blocker gate;
  brigade::permit permit;

 private:
  way_in way_;
  bool occupied_ = false;
  std::uint64_t queued_ = 0;
  std::uint64_t refused_before_ = 0;
};

}  // namespace test
