// One job at a time: from its submission until the submitter sees that it ran. Beside it what the
// machine itself needs to send a cache line, or a wake-up, there and back.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <semaphore>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "clock.hpp"
#include "limits.hpp"
#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

template <class Pool>
double warm(unsigned workers, long trips) {
  Pool pool(workers, 1024);
  std::atomic<long> seen{0};
  auto const begin = clock::now();
  for (long i = 1; i <= trips; ++i) {
    static_cast<void>(pool.try_post([&seen, i] { seen.store(i, std::memory_order_release); }));
    spin_until([&] { return seen.load(std::memory_order_acquire) == i; });
  }
  auto const spent = nanoseconds_since(begin) / static_cast<double>(trips);
  pool.finish();
  return spent;
}

// The pause is long enough for every pool's threads to have gone to sleep.
template <class Pool>
double asleep(unsigned workers, long trips) {
  Pool pool(workers, 1024);
  double spent = 0;
  for (long i = 0; i != trips; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::binary_semaphore back{0};
    auto const begin = clock::now();
    static_cast<void>(pool.try_post([&back] { back.release(); }));
    back.acquire();
    spent += nanoseconds_since(begin);
  }
  pool.finish();
  return spent / static_cast<double>(trips);
}

}  // namespace

std::vector<contest> there_and_back(settings const& with) {
  std::vector<contest> all;
  for (unsigned const workers : {1U, 2U}) {
    auto const trips = with.scaled(20'000);
    contest event{"there and back",
                  fmt::format("warm, {} workers", workers),
                  {"ns"},
                  {{brigade_pool::name, [=] { return warm<brigade_pool>(workers, 10 * trips); }},
                   {asio_thread_pool::name, [=] { return warm<asio_thread_pool>(workers, trips); }},
                   {tbb_arena::name, [=] { return warm<tbb_arena>(workers, 10 * trips); }},
                   {"limit: a cache line", [=] { return cache_line_trip(10 * trips); }}}};
    add(event, with.others, "trip", fmt::format("{} {}", workers, trips));
    all.push_back(std::move(event));
  }
  auto const trips = with.scaled(200);
  contest event{"there and back",
                "asleep, 2 workers",
                {"ns"},
                {{brigade_pool::name, [=] { return asleep<brigade_pool>(2, trips); }},
                 {asio_thread_pool::name, [=] { return asleep<asio_thread_pool>(2, trips); }},
                 {tbb_arena::name, [=] { return asleep<tbb_arena>(2, trips); }},
                 {"limit: semaphores", [=] { return wake_up_trip(50 * trips); }}}};
  add(event, with.others, "asleep", fmt::format("2 {}", trips));
  all.push_back(std::move(event));
  return all;
}

}  // namespace bench
