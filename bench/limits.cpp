// SPDX-License-Identifier: BSL-1.0
#include "limits.hpp"

#include <atomic>
#include <semaphore>
#include <thread>

#include <boost/lockfree/spsc_queue.hpp>

#include "clock.hpp"

namespace bench {

double cache_line_trip(long trips) {
  alignas(64) std::atomic<long> there{0};
  alignas(64) std::atomic<long> back{0};
  std::jthread const other([&] {
    for (long i = 1; i <= trips; ++i) {
      while (there.load(std::memory_order_acquire) != i) {
      }
      back.store(i, std::memory_order_release);
    }
  });
  auto const begin = clock::now();
  for (long i = 1; i <= trips; ++i) {
    there.store(i, std::memory_order_release);
    while (back.load(std::memory_order_acquire) != i) {
    }
  }
  return nanoseconds_since(begin) / static_cast<double>(trips);
}

double wake_up_trip(long trips) {
  std::counting_semaphore<> there{0};
  std::counting_semaphore<> back{0};
  std::jthread const other([&] {
    for (long i = 0; i != trips; ++i) {
      there.acquire();
      back.release();
    }
  });
  auto const begin = clock::now();
  for (long i = 0; i != trips; ++i) {
    there.release();
    back.acquire();
  }
  return nanoseconds_since(begin) / static_cast<double>(trips);
}

double single_producer_ring(long items) {
  boost::lockfree::spsc_queue<long, boost::lockfree::capacity<1024>> ring;
  auto const begin = clock::now();
  std::jthread producer([&] {
    for (long i = 0; i != items; ++i) spin_until([&] { return ring.push(i); });
  });
  for (long i = 0; i != items; ++i) {
    long item = 0;
    spin_until([&] { return ring.pop(item); });
  }
  return nanoseconds_since(begin) / static_cast<double>(items);
}

}  // namespace bench
