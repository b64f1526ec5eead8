// What a job, and what an empty or a once full pool, takes of memory.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <atomic>
#include <cstddef>
#include <exception>

#include <fmt/core.h>
#include <boost/asio/use_future.hpp>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "resident.hpp"
#include "support/allocation_counter.hpp"
#include "workload.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;

int answer() { return 42; }

/// Allocations a job, once the pool has run so many as to have what it keeps. `submit_all` gives
/// the pool so many jobs and returns when they have run.
template <class Pool, class SubmitAll>
double allocations(long jobs, SubmitAll submit_all) {
  Pool peer(1, 1024);
  submit_all(peer, jobs);
  test::allocation_count const counted;
  submit_all(peer, jobs);
  return static_cast<double>(counted.so_far()) / static_cast<double>(jobs);
}

template <class Pool>
double of_posts(long jobs) {
  return allocations<Pool>(jobs, [](Pool& peer, long count) {
    std::atomic<long> ran{0};
    // Asio's own wrapper and a pointer are more than what std::function keeps without memory.
    std::array<long, 5> const ballast{};
    for (long i = 0; i != count; ++i) {
      spin_until([&] { return peer.try_post([&ran, ballast] { ran += 1 + ballast[0]; }); });
    }
    spin_until([&] { return ran == count; });
  });
}

double of_callbacks(long jobs) {
  return allocations<brigade_pool>(jobs, [](brigade_pool& peer, long count) {
    std::atomic<long> ran{0};
    for (long i = 0; i != count; ++i) {
      auto const limit = i - 512;
      spin_until([&] { return ran > limit; });
      peer.pool.async_submit(&answer, [&ran](std::exception_ptr, int) { ++ran; });
    }
    spin_until([&] { return ran == count; });
  });
}

double of_futures(long jobs) {
  return allocations<brigade_pool>(jobs, [](brigade_pool& peer, long count) {
    for (long i = 0; i != count; ++i) peer.pool.async_submit(&answer, asio::use_future).get();
  });
}

double of_post_futures(long jobs) {
  return allocations<asio_thread_pool>(jobs, [](asio_thread_pool& peer, long count) {
    for (long i = 0; i != count; ++i) asio::post(peer.pool, asio::use_future(&answer)).get();
  });
}

/// Kilobytes that a pool adds when it is made, and once it has been full of jobs that are through.
sample resident(std::size_t capacity) {
  auto const before = resident_kilobytes();
  brigade_pool peer(1, capacity);
  auto const made = resident_kilobytes();
  std::atomic<bool> open{false};
  auto const wait = [&open] { open.wait(false); };
  while (peer.try_post(wait)) {
  }
  open = true;
  open.notify_all();
  spin_until([&] { return peer.pool.metrics().completed == capacity; });
  return {made - before, resident_kilobytes() - before};
}

}  // namespace

std::vector<contest> memory(settings const& with) {
  auto const jobs = with.scaled(50'000);
  return {
      {"memory",
       "jobs without a result, 48 bytes",
       {"allocations/job"},
       {{brigade_pool::name, [=] { return of_posts<brigade_pool>(jobs); }},
        {asio_thread_pool::name, [=] { return of_posts<asio_thread_pool>(jobs); }},
        {tbb_arena::name, [=] { return of_posts<tbb_arena>(jobs); }}}},
      {"memory",
       "jobs with a result",
       {"allocations/job"},
       {{"brigade, callback", [=] { return of_callbacks(jobs); }},
        {"brigade, use_future", [=] { return of_futures(jobs); }},
        {"asio::post, use_future", [=] { return of_post_futures(jobs); }}}},
      {"memory",
       "resident, by capacity",
       {"kB, made", "kB, once full"},
       {{"capacity 1024", [] { return resident(1024); }},
        {"capacity 1048576", [] { return resident(1 << 20); }}}},
  };
}

}  // namespace bench
