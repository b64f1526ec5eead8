// What a worker's record says, and that a reader never sees parts of two jobs as one.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include <brigade/detail/worker_activity.hpp>

#include "support/catch.hpp"

using brigade::detail::worker_activity;
using phase = worker_activity::phase;

TEST_CASE("a worker is at rest, in a job, in its handler, and at rest again",
          "[unit][worker_activity]") {
  worker_activity activity;
  CHECK(activity.read().now == phase::resting);
  activity.begin_turn(100, 7);
  activity.show("first");
  activity.start();
  auto const in_job = activity.read();
  CHECK(in_job.now == phase::job);
  CHECK(in_job.job == 1);
  CHECK(in_job.since == 100);
  CHECK(in_job.exact);
  CHECK(in_job.name == std::string("first"));
  CHECK(in_job.thread == 7);
  activity.end();
  CHECK(activity.read().now == phase::handler);
  CHECK(activity.read().job == 1);
  activity.rest();
  CHECK(activity.read().now == phase::resting);
  activity.begin_turn(200, 8);
  activity.start();
  CHECK(activity.read().name == nullptr);
}

TEST_CASE("a job that is not the first since the clock was read has no exact beginning",
          "[unit][worker_activity]") {
  worker_activity activity;
  activity.begin_turn(100, 7);
  activity.start();
  activity.end();
  activity.start();
  CHECK_FALSE(activity.read().exact);
  CHECK(activity.read().since == 100);
  activity.end();
  activity.looked(200);
  activity.start();
  CHECK(activity.read().exact);
  CHECK(activity.read().since == 200);
}

TEST_CASE("a reading between two jobs is where the next one begins", "[unit][worker_activity]") {
  worker_activity activity;
  CHECK(activity.next_begins() == 0);  // nobody has looked
  activity.begin_turn(100, 7);
  CHECK(activity.next_begins() == 100);
  activity.start();
  CHECK(activity.next_begins() == 0);
  activity.looked(200);
  CHECK(activity.next_begins() == 200);
  activity.pass_over();
  CHECK(activity.next_begins() == 0);
  activity.start();
  CHECK_FALSE(activity.read().exact);
}

TEST_CASE("a reading at a job's end holds until something follows", "[unit][worker_activity]") {
  worker_activity activity;
  activity.begin_turn(100, 7);
  CHECK(activity.just_ended() == 0);
  activity.start();
  CHECK(activity.just_ended() == 0);
  activity.ended(150);
  CHECK(activity.just_ended() == 150);
  SECTION("another job") { activity.start(); }
  SECTION("rest") { activity.rest(); }
  SECTION("what is no job") { activity.pass_over(); }
  SECTION("the job's handler") {
    activity.end();
    activity.ended(160);
  }
  CHECK(activity.just_ended() == 0);
}

TEST_CASE("a reader sees the parts of one job only", "[unit][worker_activity]") {
  static char const names[4][2] = {"a", "b", "c", "d"};
  worker_activity activity;
  std::atomic<bool> done{false};
  std::jthread const writer([&] {
    for (std::uint64_t job = 1; job != 200'000; ++job) {
      activity.begin_turn(static_cast<std::int64_t>(job), job);
      activity.show(names[job % 4]);
      activity.start();
      activity.end();
    }
    done = true;
  });
  std::uint64_t mixed = 0;
  std::uint64_t backwards = 0;
  std::uint64_t last = 0;
  while (!done) {
    auto const seen = activity.read();
    if (seen.now == phase::resting) continue;
    bool const whole = seen.name == names[seen.job % 4] && seen.thread == seen.job &&
                       seen.since == static_cast<std::int64_t>(seen.job) && seen.exact;
    if (!whole) ++mixed;
    if (seen.job < last) ++backwards;
    last = seen.job;
  }
  CHECK(mixed == 0);
  CHECK(backwards == 0);
}
