// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "clock.hpp"

namespace bench {

/// Empty, but not to be optimized away.
struct tiny_job {
  void operator()() const { asm volatile(""); }
};

/// Nanoseconds per job, from the first submission to the end of the last job. A submitter that
/// finds the pool full tries again. `used_before`: how many jobs the pool has had by then.
template <class Pool>
double flood_of(unsigned submitters, unsigned workers, long jobs, std::size_t capacity,
                std::size_t used_before = 0) {
  Pool pool(workers, capacity);
  std::atomic<std::size_t> ran{0};
  for (std::size_t i = 0; i != used_before; ++i) {
    retry_until_taken([&] { return pool.try_post([&ran] { ++ran; }); });
  }
  spin_until([&] { return ran == used_before; });
  auto const each = jobs / submitters;
  auto const begin = clock::now();
  {
    std::vector<std::jthread> threads;
    for (unsigned s = 0; s != submitters; ++s) {
      threads.emplace_back([&pool, each] {
        for (long i = 0; i != each; ++i) {
          retry_until_taken([&] { return pool.try_post(tiny_job{}); });
        }
      });
    }
  }
  pool.finish();
  return nanoseconds_since(begin) / static_cast<double>(each * submitters);
}

}  // namespace bench
