// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <thread>
#include <vector>

#include "clock.hpp"

namespace bench {

/// Nanoseconds per job, from the first submission to the end of the last job. A submitter that
/// finds the pool full tries again.
template <class Pool>
double flood_of(unsigned submitters, unsigned workers, long jobs, std::size_t capacity) {
  Pool pool(workers, capacity);
  auto const each = jobs / submitters;
  auto const begin = clock::now();
  {
    std::vector<std::jthread> threads;
    for (unsigned s = 0; s != submitters; ++s) {
      threads.emplace_back([&pool, each] {
        // Empty, but not to be optimized away.
        auto const job = [] { asm volatile(""); };
        for (long i = 0; i != each; ++i) spin_until([&] { return pool.try_post(job); });
      });
    }
  }
  pool.finish();
  return nanoseconds_since(begin) / static_cast<double>(each * submitters);
}

}  // namespace bench
