// Jobs come at a fixed rate, faster than the workers are, and whoever submits does not wait.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include <fmt/core.h>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "resident.hpp"
#include "workload.hpp"

namespace bench {
namespace {

constexpr std::chrono::nanoseconds job_time = std::chrono::microseconds(100);
constexpr std::size_t capacity = 64;

// One worker, so that the submitter has a core for itself.
template <class Pool>
sample overloaded(int factor, std::chrono::nanoseconds length) {
  auto const offered = static_cast<std::size_t>(factor * (length / job_time));
  std::vector<double> latencies;
  latencies.reserve(offered);
  double spent = 0;
  double grown = 0;
  auto const resident_before = resident_kilobytes();
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
    grown = resident_kilobytes() - resident_before;
    pool.finish();
    spent = nanoseconds_since(begin);
  }
  std::sort(latencies.begin(), latencies.end());
  auto const done = static_cast<double>(latencies.size());
  auto const quantile = [&](double part) {
    return latencies.at(static_cast<std::size_t>(part * (done - 1)));
  };
  return {100 * done * static_cast<double>(job_time.count()) / spent, quantile(0.5), quantile(0.99),
          quantile(0.999), grown};
}

}  // namespace

std::vector<contest> overload(settings const& with) {
  std::vector<contest> all;
  auto const length = std::chrono::milliseconds(with.scaled(500));
  for (int const factor : {2, 10}) {
    all.push_back(
        {"overload",
         fmt::format("{}x, 1 worker, jobs of 100 us, capacity {}", factor, capacity),
         {"% of the worker's best", "us, p50 of accepted", "us, p99 of accepted",
          "us, p99.9 of accepted", "kB more in memory"},
         {{brigade_pool::name, [=] { return overloaded<brigade_pool>(factor, length); }},
          {counted_context::name, [=] { return overloaded<counted_context>(factor, length); }},
          {asio_thread_pool::name, [=] { return overloaded<asio_thread_pool>(factor, length); }}}});
  }
  return all;
}

}  // namespace bench
