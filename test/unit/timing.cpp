// What timing is made of: which jobs are sampled, how long workers have been busy, how long jobs
// take lately, and all of it read together.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#include <brigade/detail/busy_time.hpp>
#include <brigade/detail/moving_average.hpp>
#include <brigade/detail/timing_recorder.hpp>
#include <brigade/detail/timing_sampler.hpp>

#include "support/catch.hpp"

using namespace brigade::detail;
using brigade::timing;
using std::chrono::nanoseconds;

namespace {

constexpr std::int64_t second = 1'000'000'000;

}  // namespace

// ── which jobs ──

TEST_CASE("no job is timed when timing is off, whatever workers say", "[unit][timing]") {
  timing_sampler sampler(timing::off);
  for (double const mean : {1.0, 1e9}) {
    sampler.adapt({mean, 1e9});
    for (std::uint64_t p = 0; p != 10'000; ++p) REQUIRE(sampler.weight_of(p) == 0);
  }
}

TEST_CASE("every job is timed for itself when timing is full, whatever workers say",
          "[unit][timing]") {
  timing_sampler sampler(timing::full);
  for (double const mean : {1.0, 1e9}) {
    sampler.adapt({mean, 1e9});
    for (std::uint64_t p = 0; p != 10'000; ++p) REQUIRE(sampler.weight_of(p) == 1);
  }
  CHECK(sampler.weight_of((std::uint64_t{1} << 56) - 1) == 1);
}

TEST_CASE("a sampler times every job until jobs turn out to be tiny, and again when they are long",
          "[unit][timing]") {
  timing_sampler sampler(timing::sampled);
  CHECK(sampler.weight_of(1) == 1);
  sampler.adapt({7'999, 1'000});
  CHECK(sampler.weight_of(1) == 1);
  sampler.adapt({3'999, 1'000});
  CHECK(sampler.weight_of(1) == 0);
  CHECK(sampler.weight_of(0) == 64);
  sampler.adapt({7'999, 1'000});
  CHECK(sampler.weight_of(1) == 0);
  sampler.adapt({8'001, 1'000});
  CHECK(sampler.weight_of(1) == 1);
}

TEST_CASE("of very many tiny jobs fewer are timed, until they are few again", "[unit][timing]") {
  timing_sampler sampler(timing::sampled);
  auto const weight = [&](double jobs) {
    sampler.adapt({100, jobs});
    CHECK(sampler.weight_of(1) == 0);
    return sampler.weight_of(0);
  };
  CHECK(weight(399'999) == 64);
  CHECK(weight(400'001) == 256);
  CHECK(weight(100'001) == 256);
  CHECK(weight(99'999) == 64);
  CHECK(weight(100'001) == 64);
  sampler.adapt({8'001, 1e9});
  CHECK(sampler.weight_of(1) == 1);
}

TEST_CASE("a note's moment and weight survive the journey beside the ring", "[unit][timing]") {
  brigade::detail::job_note note;
  note.weight = GENERATE(1U, 64U, 256U);
  note.admitted = GENERATE(std::int64_t{1}, 1'000'000 * second);
  auto const there = brigade::detail::unpack(brigade::detail::pack(note), 3, 77);
  CHECK(there.admitted == note.admitted);
  CHECK(there.weight == note.weight);
  CHECK(there.number == (std::uint64_t{3} << 56 | 77));
}

TEST_CASE("while somebody traces every job is timed, in any mode", "[unit][timing]") {
  auto const mode = GENERATE(timing::off, timing::sampled, timing::full);
  timing_sampler sampler(mode);
  sampler.adapt({100, 1'000});
  auto const usual = sampler.weight_of(64);
  CHECK(usual == (mode == timing::full ? 1 : 0));
  sampler.trace(true);
  for (std::uint64_t p = 0; p != 1'000; ++p) REQUIRE(sampler.weight_of(p) == 1);
  sampler.adapt({100, 1'000});
  sampler.trace(true);
  CHECK(sampler.weight_of(64) == 1);
  sampler.trace(false);
  CHECK(sampler.weight_of(64) == usual);
}

TEST_CASE("of jobs that come in any period, each part of it is sampled in its share",
          "[unit][timing]") {
  timing_sampler sampler(timing::sampled);
  sampler.adapt({100, GENERATE(1'000.0, 1'000'000.0)});
  for (std::uint64_t period : {1U, 2U, 3U, 5U, 8U, 13U, 55U, 64U, 89U, 128U, 233U, 1000U}) {
    for (std::uint64_t part = 0; part != std::min<std::uint64_t>(period, 20); ++part) {
      std::uint64_t stands_for = 0;
      constexpr std::uint64_t jobs = 256'000;
      for (std::uint64_t i = 0; i != jobs; ++i) {
        stands_for += sampler.weight_of(1'000'003 + part + i * period);
      }
      INFO("period " << period << ", part " << part);
      REQUIRE(std::abs(static_cast<double>(stands_for) / jobs - 1) < 0.05);
    }
  }
}

// ── busy ──

TEST_CASE("busy time is the sum of all stretches, and the one that is going on", "[unit][timing]") {
  busy_time busy;
  std::int64_t now = 5 * second;
  auto const read = [&] { return busy.read([&] { return now; }); };
  CHECK(read() == 0);
  busy.begin(now);
  CHECK(read() == 0);
  now += 7;
  CHECK(read() == 7);
  now += 10;
  busy.end(now);
  CHECK(read() == 17);
  now += second;
  CHECK(read() == 17);
  busy.begin(now);
  now += 3;
  CHECK(read() == 20);
  busy.end(now);
  CHECK(read() == 20);
}

TEST_CASE("readings of busy time never shrink and never exceed the time that passed",
          "[unit][timing]") {
  busy_time busy;
  std::atomic<bool> over{false};
  auto const clock = [] {
    return nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  auto const start = clock();
  std::thread worker([&] {
    while (!over) {
      busy.begin(clock());
      auto const end = clock();
      for (int i = 0; i != 50; ++i) static_cast<void>(clock());  // a worker that is held up here
      busy.end(end);
    }
  });
  std::int64_t last = 0;
  int shrunk = 0;
  int too_long = 0;
  for (int i = 0; i < 50'000 || last == 0; ++i) {
    auto const now = busy.read(clock);
    shrunk += now < last;
    last = now;
    too_long += now > clock() - start;
  }
  over = true;
  worker.join();
  CHECK(shrunk == 0);
  CHECK(too_long == 0);
}

// ── lately ──

TEST_CASE("an average over one window is the mean of all its jobs", "[unit][timing]") {
  moving_average average;
  CHECK(average.add(5, 100, 1).mean == 100);
  CHECK(average.add(6, 200, 1).mean == 150);
  CHECK(average.add(7, 1'500, 10).mean == 150);
  moving_average::merged all;
  all.add(average);
  CHECK(all.mean() == 150);
}

TEST_CASE("what was long ago counts for nothing", "[unit][timing]") {
  moving_average average;
  average.add(0, 100 * 1'000'000, 1'000'000);
  average.add(60 * second, 8'000, 1);
  moving_average::merged all;
  all.add(average);
  CHECK(std::abs(all.mean() - 8'000) < 1);
  average.add(60 * second * 60 * 24 * 365, 5, 1);  // further than a double reaches
  moving_average::merged later;
  later.add(average);
  CHECK(std::abs(later.mean() - 5) < 1e-6);
}

TEST_CASE("an average follows a change within seconds", "[unit][timing]") {
  moving_average average;
  std::int64_t now = 0;
  for (; now < 10 * second; now += 1'000) average.add(now, 1'000, 1);
  auto const changed = now;
  for (double mean = 0; mean < 900'000;) mean = average.add(now += 1'000'000, 1'000'000, 1).mean;
  CHECK(now - changed < 20 * second);
  for (double mean = 1e9; mean > 1'100;) mean = average.add(now += 1'000, 1'000, 1).mean;
  CHECK(now - changed < 30 * second);
}

TEST_CASE("averages of several workers weigh what their jobs weigh, the late ones alone",
          "[unit][timing]") {
  moving_average a;
  moving_average b;
  moving_average unused;
  a.add(second, 300, 3);
  b.add(second, 1'000, 1);
  for (bool const a_first : {true, false}) {
    moving_average::merged all;
    all.add(unused);
    all.add(a_first ? a : b);
    all.add(a_first ? b : a);
    CHECK(std::abs(all.mean() - 325) < 1e-9);
  }
  b.add(100 * second, 50, 1);
  for (bool const a_first : {true, false}) {
    moving_average::merged all;
    all.add(a_first ? a : b);
    all.add(a_first ? b : a);
    CHECK(std::abs(all.mean() - 50) < 1e-9);
  }
}

// ── together ──

TEST_CASE("a recorder that was not used has nothing but idle workers", "[unit][timing]") {
  timing_recorder const recorder(3);
  brigade::pool_metrics now;
  recorder.read_into(now);
  CHECK(now.queue_wait.empty());
  CHECK(now.run_time.empty());
  CHECK(now.worker_busy == std::vector<nanoseconds>(3));
  CHECK(recorder.average_run_time() == nanoseconds(0));
}

TEST_CASE("what workers and others record is read together", "[unit][timing]") {
  timing_recorder recorder(2);
  for (unsigned slot : {0U, 1U}) {
    auto& own = recorder.of_worker(slot);
    own.busy.begin(100);
    recorder.record_wait(slot, 1'000 * (slot + 1), 1);
    recorder.record_run(slot, 50, 64);
    own.busy.end(150 + slot);
    own.per_job.add(150, 50, 1);
  }
  recorder.record_wait(std::nullopt, second, 1);
  recorder.record_run(std::nullopt, 7 * second, 1);

  brigade::pool_metrics now;
  recorder.read_into(now);
  CHECK(now.queue_wait.count() == 3);
  CHECK(now.queue_wait.max() == nanoseconds(second));
  CHECK(now.run_time.count() == 129);
  CHECK(now.run_time.max() == nanoseconds(7 * second));
  CHECK(now.worker_busy == std::vector<nanoseconds>{nanoseconds(50), nanoseconds(51)});
  CHECK(recorder.average_run_time() == nanoseconds(50));
}

TEST_CASE("histograms that are read while one is written never shrink, and add up",
          "[unit][timing]") {
  duration_recorder recorder;
  constexpr std::uint64_t records = 200'000;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i != records; ++i) recorder.record(i % 1'024 * 1'024, i % 3 + 1);
  });
  brigade::duration_histogram last;
  int wrong = 0;
  while (last.count() != 2 * records - 1) {
    brigade::duration_histogram now;
    recorder.add_to(now);
    wrong += now.count() < last.count() || now.sum() < last.sum() || now.max() < last.max();
    wrong += now.quantile(1) < now.quantile(0.99);
    wrong += now.count_below(now.max() + nanoseconds(1)) != now.count();
    for (std::int64_t bound = 1; bound < 1'024 * 1'024; bound *= 2) {
      wrong += now.count_below(nanoseconds(bound)) < last.count_below(nanoseconds(bound));
    }
    last = now;
    if (wrong != 0) break;
  }
  writer.join();
  CHECK(wrong == 0);
}
