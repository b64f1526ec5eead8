// prometheus_collector: pools as metric families.
// SPDX-License-Identifier: BSL-1.0
#include <prometheus/text_serializer.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <brigade/brigade.hpp>
#include <brigade/prometheus.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"

using brigade::prometheus_collector;
using brigade::worker_pool;

namespace {

std::string text_of(prometheus_collector const& collector) {
  return prometheus::TextSerializer{}.Serialize(collector.Collect());
}

bool has_line(std::string const& text, std::string const& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

/// What `action` says when it throws invalid_argument; empty if it does not.
template <class Action>
std::string complaint(Action action) {
  try {
    action();
  } catch (std::invalid_argument const& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a pool's counts are collected under its name", "[contract][prometheus]") {
  worker_pool pool{{.threads = 1, .capacity = 2, .name = "resize"}};
  prometheus_collector collector;
  collector.add(pool);
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] { throw std::runtime_error("meant"); }));
  REQUIRE(pool.try_post([] {}) == brigade::errc::queue_full);
  auto const busy = text_of(collector);
  CHECK(has_line(busy, R"(brigade_jobs_admitted_total{executor="resize"} 2)"));
  CHECK(has_line(busy, R"(brigade_jobs_rejected_total{executor="resize",reason="queue_full"} 1)"));
  CHECK(has_line(busy, R"(brigade_jobs_rejected_total{executor="resize",reason="closed"} 0)"));
  CHECK(has_line(busy, R"(brigade_queued_jobs{executor="resize"} 1)"));
  CHECK(has_line(busy, R"(brigade_running_jobs{executor="resize"} 1)"));
  CHECK(has_line(busy, R"(brigade_job_limit{executor="resize"} 2)"));
  CHECK(has_line(busy, R"(brigade_workers{executor="resize"} 1)"));
  CHECK(has_line(busy, R"(brigade_state{executor="resize",state="running"} 1)"));
  CHECK(has_line(busy, R"(brigade_state{executor="resize",state="draining"} 0)"));
  CHECK(has_line(busy, R"(brigade_drain_remaining_jobs{executor="resize"} 0)"));
  pool.close();
  CHECK(has_line(text_of(collector), R"(brigade_drain_remaining_jobs{executor="resize"} 2)"));
  gate.open();
  pool.join();
  auto const ended = text_of(collector);
  CHECK(has_line(ended, R"(brigade_jobs_completed_total{executor="resize",outcome="ok"} 1)"));
  CHECK(has_line(ended, R"(brigade_jobs_completed_total{executor="resize",outcome="error"} 1)"));
  CHECK(has_line(ended, R"(brigade_state{executor="resize",state="stopped"} 1)"));
  CHECK(has_line(ended, R"(brigade_drain_remaining_jobs{executor="resize"} 0)"));
  CHECK_FALSE(has_line(ended, R"(brigade_drain_seconds{executor="resize"} 0)"));
}

TEST_CASE("the lanes of a pool are told apart, whatever they are called",
          "[contract][prometheus]") {
  worker_pool pool{{.threads = 1,
                    .capacity = 8,
                    .name = "laned",
                    .lanes = {{.capacity = 3, .name = "fast"},
                              {.capacity = 4},
                              {.capacity = 5, .name = "same"},
                              {.capacity = 6, .name = "same"},
                              {.capacity = 7, .name = "\xff"}}}};
  prometheus_collector collector;
  collector.add(pool);
  auto const text = text_of(collector);
  CHECK(has_line(text, R"(brigade_lane_job_limit{executor="laned",lane="fast"} 3)"));
  CHECK(has_line(text, R"(brigade_lane_job_limit{executor="laned",lane="#1"} 4)"));
  CHECK(has_line(text, R"(brigade_lane_job_limit{executor="laned",lane="#2"} 5)"));
  CHECK(has_line(text, R"(brigade_lane_job_limit{executor="laned",lane="#3"} 6)"));
  CHECK(has_line(text, R"(brigade_lane_job_limit{executor="laned",lane="#4"} 7)"));
}

TEST_CASE("every metric that is promised is there, once", "[contract][prometheus]") {
  worker_pool pool{{.threads = 2}};
  prometheus_collector collector;
  collector.add(pool);
  std::multiset<std::string> names;
  for (auto const& family : collector.Collect()) names.insert(family.name);
  for (auto const* const name : {"brigade_jobs_admitted_total",
                                 "brigade_jobs_rejected_total",
                                 "brigade_jobs_completed_total",
                                 "brigade_queued_jobs",
                                 "brigade_running_jobs",
                                 "brigade_job_limit",
                                 "brigade_workers",
                                 "brigade_active_workers",
                                 "brigade_worker_busy_seconds_total",
                                 "brigade_job_queue_wait_seconds",
                                 "brigade_job_run_seconds",
                                 "brigade_oldest_queued_job_age_seconds",
                                 "brigade_stuck_jobs",
                                 "brigade_state",
                                 "brigade_info",
                                 "brigade_drain_remaining_jobs",
                                 "brigade_drain_seconds",
                                 "brigade_waiting_submitters",
                                 "brigade_handler_errors_total",
                                 "brigade_longest_running_job_seconds",
                                 "brigade_held_permits",
                                 "brigade_jobs_caller_ran_total",
                                 "brigade_lane_queued_jobs"}) {
    CAPTURE(name);
    CHECK(names.count(name) == 1);
  }
}

TEST_CASE("the buckets of a histogram are those asked for, and grow", "[contract][prometheus]") {
  worker_pool pool{{.threads = 1, .capacity = 8, .name = "timed"}};
  prometheus_collector collector{{.buckets = {0.001, 0.5}}};
  collector.add(pool);
  REQUIRE_FALSE(pool.try_post([] {}));
  pool.join();
  for (auto const& family : collector.Collect()) {
    if (family.type != prometheus::MetricType::Histogram) continue;
    auto const& histogram = family.metric.at(0).histogram;
    REQUIRE(histogram.bucket.size() == 3);
    CHECK(histogram.bucket[0].upper_bound == 0.001);
    CHECK(histogram.bucket[1].upper_bound == 0.5);
    CHECK(histogram.bucket[0].cumulative_count <= histogram.bucket[1].cumulative_count);
    CHECK(histogram.bucket[1].cumulative_count <= histogram.bucket[2].cumulative_count);
    CHECK(histogram.bucket[2].cumulative_count == histogram.sample_count);
  }
}

TEST_CASE("buckets out of order are refused by name", "[contract][prometheus]") {
  for (auto const& buckets : std::vector<std::vector<double>>{
           {0.0}, {-1.0}, {1.0, 1.0}, {2.0, 1.0}, {1e300}, {std::stod("nan")}}) {
    auto const words = complaint([&] { prometheus_collector{{.buckets = buckets}}; });
    CHECK(words.find("buckets") != std::string::npos);
  }
  CHECK_NOTHROW(prometheus_collector{{.buckets = {}}});
}

TEST_CASE("two pools are told apart by their names", "[contract][prometheus]") {
  worker_pool one{{.threads = 1, .capacity = 1}};
  worker_pool other{{.threads = 1, .capacity = 2}};
  prometheus_collector collector;
  collector.add(one);
  CHECK(complaint([&] { collector.add(other); }).find("'brigade'") != std::string::npos);
  collector.add(other.view(), "other \"one\"\n");
  auto const text = text_of(collector);
  CHECK(has_line(text, R"(brigade_job_limit{executor="brigade"} 1)"));
  CHECK(has_line(text, R"(brigade_job_limit{executor="other \"one\"\n"} 2)"));
}

TEST_CASE("a pool that is gone or removed is left out, and its name is free",
          "[contract][prometheus]") {
  prometheus_collector collector;
  auto pool = std::make_unique<worker_pool>(brigade::pool_options{.threads = 1, .name = "a"});
  collector.add(*pool);
  CHECK(collector.read().size() == 1);
  pool.reset();
  CHECK(collector.read().empty());
  worker_pool next{{.threads = 1, .name = "a"}};
  collector.add(next);
  CHECK(collector.read().size() == 1);
  CHECK(collector.remove(next));
  CHECK_FALSE(collector.remove(next));
  CHECK(collector.read().empty());
  CHECK_FALSE(complaint([&] { collector.add(brigade::pool_view{}, "x"); }).empty());
}

TEST_CASE("a name that Prometheus would refuse is refused at once", "[contract][prometheus]") {
  prometheus_collector collector;
  worker_pool pool{{.threads = 1}};
  for (auto const* const bad : {"\xff", "a\xc0\x80", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                "\x80", "\xc3(", "\xf8\x88\x80\x80\x80"}) {
    CHECK(complaint([&] { collector.add(pool.view(), bad); }).find("UTF-8") != std::string::npos);
  }
  for (auto const* const good : {"", "plain",
                                 "gr\xc3\xb6\xc3\x9f"
                                 "e",
                                 "\xe2\x82\xac", "\xf0\x9f\x90\x9d", "\xf4\x8f\xbf\xbf"}) {
    CHECK_NOTHROW(collector.add(pool.view(), good));
  }
}

// Pools come and go under the eyes of two scrapers; each is at any moment in the scrape or out of
// it, and none is read once it is gone.
TEST_CASE("pools may come and go during a scrape", "[contract][prometheus]") {
  prometheus_collector collector;
  std::atomic<bool> end{false};
  std::atomic<std::uint64_t> seen{0};
  std::atomic<std::uint64_t> wrong{0};
  auto const scrape = [&] {
    while (!end) {
      for (auto const& family : collector.Collect()) {
        if (family.name != "brigade_job_limit") continue;
        for (auto const& sample : family.metric) {
          ++seen;
          wrong += sample.gauge.value != 5;
        }
      }
    }
  };
  std::jthread first(scrape);
  std::jthread second(scrape);
  for (int pools = 0; pools < 100 || (seen == 0 && pools < 100'000); ++pools) {
    worker_pool stays{{.threads = 1, .capacity = 5, .name = "stays"}};
    worker_pool pool{{.threads = 1, .capacity = 5, .name = "goes"}};
    collector.add(stays);
    collector.add(pool);
    if (pools % 2 == 0) collector.remove(stays);
  }
  end = true;
  CHECK(seen > 0);
  CHECK(wrong == 0);
}
