// Jobs come at a fixed rate, faster than the workers are, and whoever submits does not wait.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include <fmt/core.h>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

constexpr std::chrono::nanoseconds job_time = std::chrono::microseconds(100);
constexpr std::size_t capacity = 64;

struct load {
  double goodput;  // percent of what one worker can do
  double p99;      // of the time from the submission of an accepted job to its end, in us
};

// One worker, so that the submitter has a core for itself.
template <class Pool>
load overloaded(int factor, std::chrono::nanoseconds length) {
  auto const offered = static_cast<std::size_t>(factor * (length / job_time));
  std::vector<double> latencies;
  latencies.reserve(offered);
  double spent = 0;
  {
    Pool pool(1, capacity);
    auto const begin = clock::now();
    for (std::size_t i = 0; i != offered; ++i) {
      auto const due = begin + job_time * i / factor;
      while (clock::now() < due) {
      }
      static_cast<void>(pool.try_post([&latencies, due] {
        burn(job_time);
        latencies.push_back(nanoseconds_since(due) / 1e3);
      }));
    }
    pool.finish();
    spent = nanoseconds_since(begin);
  }
  std::sort(latencies.begin(), latencies.end());
  auto const done = static_cast<double>(latencies.size());
  return {100 * done * static_cast<double>(job_time.count()) / spent,
          latencies.at(latencies.size() * 99 / 100)};
}

template <class Pool>
void enter(contest& goodput, contest& p99, int factor, std::chrono::nanoseconds length) {
  goodput.contestants.push_back(
      {Pool::name, [=] { return overloaded<Pool>(factor, length).goodput; }});
  p99.contestants.push_back({Pool::name, [=] { return overloaded<Pool>(factor, length).p99; }});
}

}  // namespace

std::vector<contest> overload(settings const& with) {
  std::vector<contest> all;
  auto const length = std::chrono::milliseconds(with.scaled(500));
  for (int const factor : {2, 10}) {
    auto const what = fmt::format("{}x, jobs of 100 us, capacity {}", factor, capacity);
    contest goodput{"overload", what, "% of one worker's best", {}};
    contest p99{"overload", what, "us, p99 of accepted jobs", {}};
    enter<brigade_pool>(goodput, p99, factor, length);
    enter<counted_context>(goodput, p99, factor, length);
    enter<asio_thread_pool>(goodput, p99, factor, length);
    all.push_back(std::move(goodput));
    all.push_back(std::move(p99));
  }
  return all;
}

}  // namespace bench
