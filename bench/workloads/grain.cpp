// Jobs that take a while: how much of the workers' time they get.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct efficiency {
  efficiency(unsigned workers, std::chrono::nanoseconds grain, long jobs)
      : useful_(static_cast<double>(grain.count() * jobs)),
        hands_(std::min(workers, std::thread::hardware_concurrency())) {}

  // Percent of what the workers could do at best, and of the processor time that went into jobs.
  [[nodiscard]] sample now() const {
    auto const elapsed = nanoseconds_since(begin_);
    auto const used = 1e9 * (processor_seconds() - used_before_);
    return {100 * useful_ / hands_ / elapsed, 100 * useful_ / used};
  }

 private:
  double useful_;
  double hands_;
  double used_before_ = processor_seconds();
  clock::time_point begin_ = clock::now();
};

// The submitter sleeps once it has posted all.
template <class Pool>
sample of_pool(unsigned workers, std::chrono::nanoseconds grain, long jobs) {
  Pool pool(workers, static_cast<std::size_t>(jobs));
  efficiency const measured(workers, grain, jobs);
  for (long i = 0; i != jobs; ++i) {
    spin_until([&] { return pool.try_post([grain] { burn(grain); }); });
  }
  pool.finish();
  return measured.now();
}

// What the machine leaves of the ideal where there is no pool at all.
sample of_bare_threads(unsigned workers, std::chrono::nanoseconds grain, long jobs) {
  efficiency const measured(workers, grain, jobs);
  {
    std::vector<std::jthread> threads;
    for (unsigned w = 0; w != workers; ++w) {
      threads.emplace_back([grain, mine = jobs / workers] {
        for (long i = 0; i != mine; ++i) burn(grain);
      });
    }
  }
  return measured.now();
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
         {{brigade_pool::name, [=] { return of_pool<brigade_pool>(2, time, jobs); }},
          {asio_thread_pool::name, [=] { return of_pool<asio_thread_pool>(2, time, jobs); }},
          {tbb_arena::name, [=] { return of_pool<tbb_arena>(2, time, jobs); }},
          {"limit: bare threads", [=] { return of_bare_threads(2, time, jobs); }}}});
  }
  return all;
}

}  // namespace bench
