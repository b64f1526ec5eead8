// The ring alone: cells that are used again, and jobs that end while they are queued.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstdint>

#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/job_ring.hpp>
#include <brigade/detail/relax.hpp>

#include "schedules/scenario.hpp"

namespace test::schedules {

namespace {

using namespace brigade::detail;

/// What travels. Touches the cell wherever it is written and read.
struct parcel {
  explicit parcel(int& count) noexcept : taken(&count) { world::current().touch(this); }
  parcel(parcel&& other) noexcept : taken(other.taken) { world::current().touch(&other); }
  ~parcel() = default;

  static void run(void*, job_context&) {}
  static bool discard(void* storage, job_ending const&) {
    ++*static_cast<parcel*>(storage)->taken;
    return true;
  }

  int* taken;
};

bool take_one(job_ring& ring) {
  inline_job job;
  job_note note;
  if (!ring.take(job, note, 0)) return false;
  job.discard(job_ending{});
  return true;
}

void put(job_ring& ring, std::uint64_t position, int& count) {
  ring.open(position).emplace<parcel>(count);
  ring.publish(position, 0);
}

// Two submitters and two takers on a ring of two cells, which are used twice.
void used_again(world& w) {
  constexpr std::uint64_t jobs = 4;
  job_ring ring(2);
  std::array<int, jobs> taken{};
  for (std::uint64_t const first : {0U, 1U}) {
    w.thread("submitter", [&, first] {
      for (auto position = first; position < jobs; position += 2) {
        while (position >= ring.head() + ring.size()) relax(1);
        put(ring, position, taken[position]);
      }
    });
  }
  for (int i = 0; i != 2; ++i) {
    w.thread("taker", [&ring] {
      for (std::uint64_t mine = 0; mine != jobs / 2;) {
        if (take_one(ring)) {
          ++mine;
        } else {
          relax(1);
        }
      }
    });
  }
  w.run();
  w.expect_ended(0, 4);
  for (auto const count : taken) w.expect(count == 1, "a job was lost or doubled");
}

// A submitter, a taker, and somebody who ends the job while it is queued, if it still is. What is
// left of it makes room for the next one.
void buried(world& w) {
  job_ring ring(2);
  std::array<int, 3> taken{};
  int ended_early = 0;
  mailbox<int> published;
  w.thread("submitter", [&] {
    for (std::uint64_t position = 0; position != taken.size(); ++position) {
      while (position >= ring.head() + ring.size()) relax(1);
      put(ring, position, taken[position]);
      if (position == 0) published.give(0);
    }
  });
  w.thread("canceller", [&] {
    published.await();
    if (ring.bury(0)) ++ended_early;
    inline_job shell;
    while (ring.take_dead(shell)) shell.discard(job_ending{});
  });
  w.thread("taker", [&] {
    while (ring.head() != taken.size()) {
      if (!take_one(ring)) relax(1);
    }
  });
  w.run();
  w.expect_ended(0, 3);
  for (auto const count : taken) w.expect(count == 1, "a cell was lost or taken twice");
}

constexpr std::array scenarios{
    scenario{"ring", used_again, {2, 0}, {3, 1}},
    scenario{"ring, a job ends in it", buried, {2, 1}, {3, 1}},
};

}  // namespace

std::span<scenario const> const ring_scenarios = scenarios;

}  // namespace test::schedules
