// SPDX-License-Identifier: BSL-1.0
#include <brigade/histogram.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <brigade/detail/duration_buckets.hpp>
#include <brigade/detail/duration_recorder.hpp>

#include "support/catch.hpp"

using brigade::duration_histogram;
using brigade::detail::bucket_begin;
using brigade::detail::bucket_of;
using brigade::detail::duration_bucket_count;
using brigade::detail::duration_recorder;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t longest = (std::int64_t{1} << 45) - 1;

/// As many short ones as long ones: evenly spread over the powers of two.
std::vector<nanoseconds> some_durations(unsigned seed, std::size_t how_many) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(0, 45);
  std::vector<nanoseconds> durations(how_many);
  for (auto& d : durations) {
    d = nanoseconds(std::min(static_cast<std::int64_t>(std::exp2(exponent(random))), longest));
  }
  return durations;
}

duration_histogram histogram_of(std::vector<nanoseconds> const& durations) {
  duration_histogram h;
  for (auto const d : durations) h.record(d);
  return h;
}

}  // namespace

TEST_CASE("buckets follow each other without a gap", "[unit][histogram]") {
  for (std::size_t b = 0; b != duration_bucket_count; ++b) {
    REQUIRE(bucket_begin(b) < bucket_begin(b + 1));
    REQUIRE(bucket_of(bucket_begin(b)) == b);
    REQUIRE(bucket_of(bucket_begin(b + 1) - 1) == b);
  }
}

TEST_CASE("a bucket is no wider than a 16th of what is in it", "[unit][histogram]") {
  for (std::size_t b = 0; b != duration_bucket_count; ++b) {
    auto const width = bucket_begin(b + 1) - bucket_begin(b);
    REQUIRE((width == 1 || width * 16 <= bucket_begin(b)));
  }
}

TEST_CASE("an empty histogram has nothing", "[unit][histogram]") {
  duration_histogram const none;
  CHECK(none.empty());
  CHECK(none.count() == 0);
  CHECK(none.sum().count() == 0);
  CHECK(none.max() == 0ns);
  CHECK(none.quantile(0.5) == 0ns);
  CHECK(none.count_below(1h) == 0);
  CHECK(none == duration_histogram{});
}

TEST_CASE("recording a duration no times changes nothing", "[unit][histogram]") {
  duration_histogram h;
  h.record(5s, 0);
  CHECK(h == duration_histogram{});
}

TEST_CASE("a duration is found again to a 16th, and never too short", "[unit][histogram]") {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  for (auto const d : some_durations(seed, 20'000)) {
    duration_histogram h;
    h.record(d);
    h.record(nanoseconds(longest));  // or the maximum, which is exact, would be the answer
    auto const found = h.quantile(0.5);
    REQUIRE(found >= d);
    REQUIRE((found - d) * 16 <= d);
  }
}

TEST_CASE("every quantile is within a 16th of the true one", "[unit][histogram]") {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  auto durations = some_durations(seed, 5'000);
  auto const h = histogram_of(durations);
  std::sort(durations.begin(), durations.end());
  nanoseconds last{0};
  for (int i = 0; i <= 1'000; ++i) {
    auto const q = i / 1000.0;
    auto const rank = std::max(1.0, std::ceil(q * 5'000));
    auto const exact = durations[static_cast<std::size_t>(rank) - 1];
    auto const found = h.quantile(q);
    REQUIRE(found >= exact);
    REQUIRE((found - exact) * 16 <= exact);
    REQUIRE(found >= last);
    last = found;
  }
  CHECK(h.quantile(1) == durations.back());
  CHECK(h.max() == durations.back());
}

TEST_CASE("a quantile outside of 0 to 1 is the nearer of the two", "[unit][histogram]") {
  auto const h = histogram_of({3ns, 1us, 1s});
  CHECK(h.quantile(-1) == 3ns);
  CHECK(h.quantile(0) == 3ns);
  CHECK(h.quantile(std::nan("")) == 3ns);
  CHECK(h.quantile(7) == 1s);
}

TEST_CASE("counts below the begin of a bucket are exact", "[unit][histogram]") {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  auto const durations = some_durations(seed, 3'000);
  auto const h = histogram_of(durations);
  for (std::size_t b = 0; b != duration_bucket_count; ++b) {
    auto const bound = nanoseconds(static_cast<std::int64_t>(bucket_begin(b)));
    auto const exact = std::count_if(durations.begin(), durations.end(),
                                     [bound](nanoseconds d) { return d < bound; });
    REQUIRE(h.count_below(bound) == static_cast<std::uint64_t>(exact));
  }
}

TEST_CASE("counts below any bound grow with it, and are exact for a bound a 16th away",
          "[unit][histogram]") {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  auto durations = some_durations(seed, 3'000);
  auto const h = histogram_of(durations);
  std::sort(durations.begin(), durations.end());
  auto const exact = [&](std::int64_t bound) {
    return static_cast<std::uint64_t>(
        std::lower_bound(durations.begin(), durations.end(), nanoseconds(bound)) -
        durations.begin());
  };
  auto bounds = some_durations(seed + 1, 3'000);
  std::sort(bounds.begin(), bounds.end());
  std::uint64_t last = 0;
  for (auto const bound : bounds) {
    auto const found = h.count_below(bound);
    REQUIRE(found >= last);
    REQUIRE(found >= exact(bound.count() - bound.count() / 16));
    REQUIRE(found <= exact(bound.count() + bound.count() / 16 + 1));
    last = found;
  }
  CHECK(h.count_below(h.max() + 1ns) == h.count());
  CHECK(h.count_below(0ns) == 0);
  CHECK(h.count_below(-5s) == 0);
}

TEST_CASE("what is out of range goes to the nearest bucket", "[unit][histogram]") {
  duration_histogram h;
  h.record(-3s);
  h.record(1000h, 2);
  CHECK(h.count() == 3);
  CHECK(h.quantile(0) == 0ns);
  CHECK(h.quantile(0.9) == 1000h);
  CHECK(h.max() == 1000h);
  CHECK(h.count_below(1ns) == 1);
  CHECK(h.count_below(1h) == 1);
  CHECK(h.count_below(1001h) == 3);
  CHECK(h.sum() == 2000h);
}

TEST_CASE("a sum is exact, and does not overflow", "[unit][histogram]") {
  duration_histogram h;
  h.record(1234567ns, 3);
  CHECK(h.sum().count() == 3 * 1234567.0);
  h.record(nanoseconds(longest), std::uint64_t{1} << 40);
  CHECK(std::abs(h.sum().count() / std::exp2(85) - 1) < 1e-9);
}

TEST_CASE("merged histograms are the histogram of all", "[unit][histogram]") {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  auto all = some_durations(seed, 2'000);
  for (auto& d : all) d /= 4096;  // sums stay exact
  std::vector<nanoseconds> const front(all.begin(), all.begin() + 700);
  std::vector<nanoseconds> const back(all.begin() + 700, all.end());
  auto const whole = histogram_of(all);

  auto merged = histogram_of(front);
  merged += histogram_of(back);
  CHECK(merged == whole);
  auto other_way = histogram_of(back);
  other_way += histogram_of(front);
  CHECK(other_way == whole);
  merged += duration_histogram{};
  CHECK(merged == whole);
  duration_histogram from_nothing;
  from_nothing += whole;
  CHECK(from_nothing == whole);
  merged.record(1ns);
  CHECK(merged != whole);
}

TEST_CASE("a recorder gives the histogram of what was recorded", "[unit][histogram]") {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  duration_recorder recorder;
  duration_histogram expected;
  std::uint64_t times = 1;
  for (auto const d : some_durations(seed, 2'000)) {
    auto const shorter = d / 4096;
    recorder.record(static_cast<std::uint64_t>(shorter.count()), times);
    expected.record(shorter, times);
    times = times % 7 + 1;
  }
  duration_histogram found;
  recorder.add_to(found);
  CHECK(found == expected);
  recorder.add_to(found);
  expected += duration_histogram(expected);
  CHECK(found == expected);
}

TEST_CASE("a recorder that was not used adds nothing", "[unit][histogram]") {
  duration_recorder const recorder;
  duration_histogram found;
  recorder.add_to(found);
  CHECK(found == duration_histogram{});
}
