// SPDX-License-Identifier: BSL-1.0
#include <brigade/prometheus.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <brigade/version.hpp>
#include <brigade/worker_pool.hpp>

namespace brigade {

namespace {

using ::prometheus::ClientMetric;
using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

using readings = std::vector<pool_reading>;
using label = ClientMetric::Label;

template <class Rep, class Period>
double seconds(std::chrono::duration<Rep, Period> time) {
  return std::chrono::duration<double>(time).count();
}

template <class Number>
double as_value(Number number) {
  return static_cast<double>(number);
}
double as_value(std::chrono::nanoseconds time) { return seconds(time); }

/// Prometheus refuses a whole scrape for one label that is not UTF-8.
bool is_utf8(std::string_view text) {
  static constexpr std::array<char32_t, 4> smallest{0, 0x80, 0x800, 0x10000};
  for (std::size_t i = 0; i != text.size();) {
    auto const lead = static_cast<unsigned char>(text[i++]);
    std::size_t const more = lead < 0x80   ? 0
                             : lead < 0xC0 ? 4
                             : lead < 0xE0 ? 1
                             : lead < 0xF0 ? 2
                                           : 3;
    if (more == 4 || lead > 0xF4 || text.size() - i < more) return false;
    char32_t code = more == 0 ? lead : lead & (0x3FU >> more);
    for (std::size_t k = 0; k != more; ++k) {
      auto const next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xC0U) != 0x80) return false;
      code = code << 6U | (next & 0x3FU);
    }
    if (code < smallest[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  }
  return true;
}

/// Builds the families, each from all pools.
class family_list {
 public:
  explicit family_list(readings const& pools) : pools_(pools) {}

  void begin(MetricType type, char const* name, char const* help) {
    families_.push_back({name, help, type, {}});
  }

  ClientMetric& sample(pool_reading const& pool, std::vector<label> more = {}) {
    more.insert(more.begin(), label{"executor", pool.executor});
    ClientMetric metric;
    metric.label = std::move(more);
    families_.back().metric.push_back(std::move(metric));
    return families_.back().metric.back();
  }

  void value(pool_reading const& pool, double number, std::vector<label> more = {}) {
    auto& metric = sample(pool, std::move(more));
    auto const counter = families_.back().type == MetricType::Counter;
    (counter ? metric.counter.value : metric.gauge.value) = number;
  }

  /// A family with one sample a pool: what `get` says of its metrics.
  template <class Get>
  void add(MetricType type, char const* name, char const* help, Get get) {
    begin(type, name, help);
    for (auto const& pool : pools_) value(pool, as_value(get(pool.metrics)));
  }
  template <class Get>
  void gauge(char const* name, char const* help, Get get) {
    add(MetricType::Gauge, name, help, get);
  }
  template <class Get>
  void counter(char const* name, char const* help, Get get) {
    add(MetricType::Counter, name, help, get);
  }

  [[nodiscard]] readings const& pools() const noexcept { return pools_; }
  [[nodiscard]] std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  readings const& pools_;
  std::vector<MetricFamily> families_;
};

void add_jobs(family_list& out) {
  out.counter("brigade_jobs_admitted_total", "Jobs accepted.",
              [](auto const& now) { return now.admitted; });
  out.begin(MetricType::Counter, "brigade_jobs_rejected_total",
            "Jobs never admitted, by reason; cancelled and expired are waiters that gave up.");
  for (auto const& pool : out.pools()) {
    auto const& counts = pool.metrics.rejected;
    for (auto const& [reason, count] : {std::pair{"queue_full", counts.queue_full},
                                        {"closed", counts.closed},
                                        {"cancelled", counts.cancelled},
                                        {"expired", counts.expired}}) {
      out.value(pool, as_value(count), {{"reason", reason}});
    }
  }
  out.begin(MetricType::Counter, "brigade_jobs_completed_total",
            "Admitted jobs that ended, by how.");
  for (auto const& pool : out.pools()) {
    auto const& now = pool.metrics;
    for (auto const& [outcome, count] : {std::pair{"ok", now.completed},
                                         {"error", now.failed},
                                         {"cancelled", now.cancelled},
                                         {"expired", now.expired},
                                         {"shed", now.shed}}) {
      out.value(pool, as_value(count), {{"outcome", outcome}});
    }
  }
  out.counter("brigade_jobs_caller_ran_total",
              "Jobs that overflow::caller_runs ran in their callers, outside of the bound.",
              [](auto const& now) { return now.caller_ran; });
  out.counter("brigade_handler_errors_total",
              "Completion handlers that threw or could not be called.",
              [](auto const& now) { return now.handler_errors; });
}

void add_load(family_list& out) {
  out.gauge("brigade_queued_jobs", "Jobs admitted and not yet started.",
            [](auto const& now) { return now.queued_jobs; });
  out.gauge("brigade_running_jobs", "Jobs started and not yet finished, the suspended included.",
            [](auto const& now) { return now.running_jobs; });
  out.gauge("brigade_job_limit", "The most jobs that may be queued and running.",
            [](auto const& now) { return now.capacity; });
  out.gauge("brigade_waiting_submitters", "Submitters that wait for a slot.",
            [](auto const& now) { return now.waiting; });
  out.gauge("brigade_held_permits", "Slots held by permits, without a job yet.",
            [](auto const& now) { return now.permits; });
  out.gauge("brigade_oldest_queued_job_age_seconds", "How long the oldest queued job has waited.",
            [](auto const& now) { return now.oldest_queued_age; });
}

/// Its name; or its number, where that is not fit for a label that tells it from the others.
std::string lane_label(std::vector<lane_metrics> const& lanes, std::size_t index) {
  auto const& name = lanes[index].name;
  auto const same = [&](lane_metrics const& other) { return other.name == name; };
  bool const fit = !name.empty() && is_utf8(name) && std::ranges::count_if(lanes, same) == 1;
  return fit ? name : fmt::format("#{}", index);
}

/// For pools that have lanes: what the pool's own families sum up.
void add_lanes(family_list& out) {
  auto const add = [&](MetricType type, char const* name, char const* help, auto get) {
    out.begin(type, name, help);
    for (auto const& pool : out.pools()) {
      auto const& lanes = pool.metrics.lanes;
      for (std::size_t i = 0; i != lanes.size(); ++i) {
        out.value(pool, as_value(get(lanes[i])), {{"lane", lane_label(lanes, i)}});
      }
    }
  };
  add(MetricType::Counter, "brigade_lane_jobs_admitted_total", "Jobs accepted, by lane.",
      [](auto const& lane) { return lane.admitted; });
  add(MetricType::Gauge, "brigade_lane_queued_jobs", "Jobs admitted and not yet started, by lane.",
      [](auto const& lane) { return lane.queued_jobs; });
  add(MetricType::Gauge, "brigade_lane_running_jobs", "Jobs started and not yet finished, by lane.",
      [](auto const& lane) { return lane.running_jobs; });
  add(MetricType::Gauge, "brigade_lane_job_limit",
      "The most jobs of the lane that may be queued and running.",
      [](auto const& lane) { return lane.capacity; });
  add(MetricType::Gauge, "brigade_lane_oldest_queued_job_age_seconds",
      "How long the oldest queued job of the lane has waited.",
      [](auto const& lane) { return lane.oldest_queued_age; });
}

void add_workers(family_list& out) {
  out.gauge("brigade_workers", "Workers of the pool.", [](auto const& now) { return now.workers; });
  out.gauge("brigade_active_workers", "Workers that are running jobs or their handlers.",
            [](auto const& now) { return now.active_workers; });
  out.begin(MetricType::Counter, "brigade_worker_busy_seconds_total",
            "Time spent on jobs, by worker.");
  for (auto const& pool : out.pools()) {
    for (std::size_t i = 0; i != pool.metrics.worker_busy.size(); ++i) {
      out.value(pool, seconds(pool.metrics.worker_busy[i]), {{"worker", fmt::to_string(i)}});
    }
  }
  out.gauge("brigade_stuck_jobs", "Jobs that have been running for longer than stuck_after.",
            [](auto const& now) { return now.stuck_jobs; });
  out.gauge("brigade_longest_running_job_seconds",
            "How long the job that has run the longest has been running.",
            [](auto const& now) { return now.longest_running; });
}

void add_histogram(family_list& out, std::vector<double> const& buckets, char const* name,
                   char const* help, duration_histogram pool_metrics::*member) {
  out.begin(MetricType::Histogram, name, help);
  for (auto const& pool : out.pools()) {
    auto const& times = pool.metrics.*member;
    auto& histogram = out.sample(pool).histogram;
    histogram.sample_count = times.count();
    histogram.sample_sum = seconds(times.sum());
    for (auto const bound : buckets) {
      std::chrono::nanoseconds const limit{static_cast<std::int64_t>(std::llround(bound * 1e9))};
      histogram.bucket.push_back({times.count_below(limit), bound});
    }
    histogram.bucket.push_back({times.count(), std::numeric_limits<double>::infinity()});
  }
}

void add_state(family_list& out) {
  out.begin(MetricType::Gauge, "brigade_state",
            "1 for the state that the pool is in, 0 for the others.");
  for (auto const& pool : out.pools()) {
    for (auto const state : {pool_state::running, pool_state::lame_duck, pool_state::draining,
                             pool_state::cancelling, pool_state::stopped}) {
      out.value(pool, pool.metrics.state == state ? 1 : 0,
                {{"state", std::string(to_string(state))}});
    }
  }
  out.gauge("brigade_drain_remaining_jobs",
            "Jobs in flight in a pool that takes no more; 0 before.", [](auto const& now) {
              return now.state < pool_state::draining ? 0 : now.queued_jobs + now.running_jobs;
            });
  out.gauge("brigade_drain_seconds", "How long the pool has been, or was, draining and cancelling.",
            [](auto const& now) { return now.time_in.draining + now.time_in.cancelling; });
  out.begin(MetricType::Gauge, "brigade_info", "Always 1; what the pool is, in labels.");
  auto const version =
      fmt::format("{}.{}.{}", BRIGADE_VERSION_MAJOR, BRIGADE_VERSION_MINOR, BRIGADE_VERSION_PATCH);
  for (auto const& pool : out.pools()) {
    out.value(pool, 1, {{"version", version}, {"threads", fmt::to_string(pool.metrics.workers)}});
  }
}

std::vector<double> checked(std::vector<double> buckets) {
  double last = 0;
  for (auto const bound : buckets) {
    if (!(bound > last) || bound > 1e9) {
      throw std::invalid_argument(
          fmt::format("brigade::prometheus_options::buckets: {} after {}; give seconds that grow, "
                      "above 0 and up to 1e9",
                      bound, last));
    }
    last = bound;
  }
  return buckets;
}

}  // namespace

prometheus_collector::prometheus_collector(prometheus_options options)
    : buckets_(checked(std::move(options.buckets))) {}

prometheus_collector::~prometheus_collector() = default;

void prometheus_collector::add(worker_pool const& pool) { add(pool.view(), pool.metrics().name); }

void prometheus_collector::add(pool_view pool, std::string executor) {
  if (pool.expired()) {
    throw std::invalid_argument("brigade::prometheus_collector::add: the pool is gone");
  }
  if (!is_utf8(executor)) {
    throw std::invalid_argument(
        "brigade::prometheus_collector::add: the pool's name is not UTF-8; give another to add()");
  }
  std::lock_guard const lock(mutex_);
  std::erase_if(pools_, [](entry const& old) { return old.pool.expired(); });
  auto const same = [&](entry const& old) { return old.executor == executor; };
  if (std::any_of(pools_.begin(), pools_.end(), same)) {
    throw std::invalid_argument(
        fmt::format("brigade::prometheus_collector::add: a pool named '{}' is collected from "
                    "already; name each pool (pool_options::name), or give another name to add()",
                    executor));
  }
  pools_.push_back({std::move(pool), std::move(executor)});
}

bool prometheus_collector::remove(worker_pool const& pool) {
  auto const view = pool.view();
  std::lock_guard const lock(mutex_);
  return std::erase_if(pools_, [&](entry const& old) { return old.pool == view; }) != 0;
}

std::vector<pool_reading> prometheus_collector::read() const {
  std::unique_lock lock(mutex_);
  auto const pools = pools_;
  lock.unlock();
  std::vector<pool_reading> found;
  for (auto const& [pool, executor] : pools) {
    if (auto now = pool.metrics()) found.push_back({executor, *std::move(now)});
  }
  return found;
}

std::vector<MetricFamily> prometheus_collector::Collect() const {
  auto const found = read();
  family_list out{found};
  add_jobs(out);
  add_load(out);
  add_lanes(out);
  add_workers(out);
  add_histogram(out, buckets_, "brigade_job_queue_wait_seconds",
                "From the admission of a job to its start.", &pool_metrics::queue_wait);
  add_histogram(out, buckets_, "brigade_job_run_seconds", "From the start of a job to its end.",
                &pool_metrics::run_time);
  add_state(out);
  return out.take();
}

}  // namespace brigade
