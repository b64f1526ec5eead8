// Jobs that take a while: how much of the workers' time they get.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

#include <fmt/core.h>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Percent of what the workers could do at best, and of the processor time that went into jobs. The
// submitter sleeps once it has posted all.
template <class Pool>
sample efficiency(unsigned workers, std::chrono::nanoseconds grain, long jobs) {
  Pool pool(workers, static_cast<std::size_t>(jobs));
  auto const used_before = processor_seconds();
  auto const begin = clock::now();
  for (long i = 0; i != jobs; ++i) {
    spin_until([&] { return pool.try_post([grain] { burn(grain); }); });
  }
  pool.finish();
  auto const elapsed = nanoseconds_since(begin);
  auto const used = 1e9 * (processor_seconds() - used_before);
  auto const useful = static_cast<double>(grain.count() * jobs);
  auto const hands = std::min(workers, std::thread::hardware_concurrency());
  return {100 * useful / hands / elapsed, 100 * useful / used};
}

}  // namespace

std::vector<contest> grain(settings const& with) {
  std::vector<contest> all;
  for (long const microseconds : {1L, 10L, 100L}) {
    std::chrono::nanoseconds const time = std::chrono::microseconds(microseconds);
    auto const jobs = with.scaled(500'000) / microseconds;
    all.push_back(
        {"grain",
         fmt::format("jobs of {} us, 2 workers", microseconds),
         {"% of the ideal throughput", "% of the processor time in jobs"},
         {{brigade_pool::name, [=] { return efficiency<brigade_pool>(2, time, jobs); }},
          {asio_thread_pool::name, [=] { return efficiency<asio_thread_pool>(2, time, jobs); }},
          {tbb_arena::name, [=] { return efficiency<tbb_arena>(2, time, jobs); }}}});
  }
  return all;
}

}  // namespace bench
