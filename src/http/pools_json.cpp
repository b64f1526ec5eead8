// SPDX-License-Identifier: BSL-1.0
#include "pools_json.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <brigade/shutdown.hpp>
#include <brigade/version.hpp>

namespace brigade::detail {

namespace {

using nlohmann::ordered_json;

template <class Rep, class Period>
double seconds(std::chrono::duration<Rep, Period> time) {
  return std::chrono::duration<double>(time).count();
}

/// Where the page's own buckets end: six a decade, from a microsecond to a quarter of an hour. Fine
/// enough for percentiles of what was added between two answers.
std::vector<std::chrono::nanoseconds> const& bounds() {
  static auto const all = [] {
    std::vector<std::chrono::nanoseconds> made;
    for (int step = 0; step <= 54; ++step) {
      made.emplace_back(static_cast<std::int64_t>(std::llround(1000 * std::pow(10.0, step / 6.0))));
    }
    return made;
  }();
  return all;
}

ordered_json as_json(duration_histogram const& times) {
  ordered_json below = ordered_json::array();
  for (auto const bound : bounds()) below.push_back(times.count_below(bound));
  return {{"count", times.count()},
          {"sum", seconds(times.sum())},
          {"p50", seconds(times.quantile(0.5))},
          {"p90", seconds(times.quantile(0.9))},
          {"p99", seconds(times.quantile(0.99))},
          {"p999", seconds(times.quantile(0.999))},
          {"max", seconds(times.max())},
          {"below", std::move(below)}};
}

ordered_json as_json(pool_reading const& pool) {
  auto const& now = pool.metrics;
  ordered_json busy = ordered_json::array();
  for (auto const time : now.worker_busy) busy.push_back(seconds(time));
  ordered_json time_in;
  for (auto const state : {pool_state::running, pool_state::lame_duck, pool_state::draining,
                           pool_state::cancelling, pool_state::stopped}) {
    time_in[std::string(to_string(state))] = seconds(now.time_in[state]);
  }
  ordered_json lanes = ordered_json::array();
  for (auto const& lane : now.lanes) {
    lanes.push_back({{"name", lane.name},
                     {"capacity", lane.capacity},
                     {"queued", lane.queued_jobs},
                     {"running", lane.running_jobs},
                     {"admitted", lane.admitted},
                     {"oldest_queued_age", seconds(lane.oldest_queued_age)}});
  }
  ordered_json stuck = ordered_json::array();
  for (auto const& job : now.stuck) {
    stuck.push_back({{"name", job.name},
                     {"age", seconds(job.age)},
                     {"thread", job.thread},
                     {"handler", job.what == running_job::kind::handler}});
  }
  return {{"name", pool.executor},
          {"state", to_string(now.state)},
          {"time_in", std::move(time_in)},
          {"capacity", now.capacity},
          {"queued", now.queued_jobs},
          {"running", now.running_jobs},
          {"waiting", now.waiting},
          {"permits", now.permits},
          {"admitted", now.admitted},
          {"outcomes",
           {{"completed", now.completed},
            {"failed", now.failed},
            {"cancelled", now.cancelled},
            {"expired", now.expired},
            {"shed", now.shed}}},
          {"rejected",
           {{"queue_full", now.rejected.queue_full},
            {"closed", now.rejected.closed},
            {"cancelled", now.rejected.cancelled},
            {"expired", now.rejected.expired}}},
          {"caller_ran", now.caller_ran},
          {"handler_errors", now.handler_errors},
          {"lanes", std::move(lanes)},
          {"workers", now.workers},
          {"active_workers", now.active_workers},
          {"worker_busy", std::move(busy)},
          {"oldest_queued_age", seconds(now.oldest_queued_age)},
          {"longest_running", seconds(now.longest_running)},
          {"stuck_jobs", now.stuck_jobs},
          {"stuck", std::move(stuck)},
          {"queue_wait", as_json(now.queue_wait)},
          {"run_time", as_json(now.run_time)}};
}

}  // namespace

std::string pools_json(std::string const& title, bool ready,
                       std::vector<pool_reading> const& pools) {
  ordered_json limits = ordered_json::array();
  for (auto const bound : bounds()) limits.push_back(seconds(bound));
  ordered_json all = ordered_json::array();
  for (auto const& pool : pools) all.push_back(as_json(pool));
  ordered_json const text{{"title", title},
                          {"version", fmt::format("{}.{}.{}", BRIGADE_VERSION_MAJOR,
                                                  BRIGADE_VERSION_MINOR, BRIGADE_VERSION_PATCH)},
                          {"ready", ready},
                          {"bounds", std::move(limits)},
                          {"pools", std::move(all)}};
  return text.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace brigade::detail
