// Jobs with a result, by callback and by future.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <exception>
#include <utility>

#include <fmt/core.h>
#include <boost/asio/use_future.hpp>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;

constexpr long capacity = 1024;

int answer() { return 42; }

double callback(unsigned workers, long jobs) {
  brigade_pool peer(workers, capacity);
  std::atomic<long> sum{0};
  long done = 0;
  auto const begin = clock::now();
  for (long i = 0; i != jobs; ++i) {
    // As many as fit, and no more: a refusal would be one more completion to wait for.
    if (i - done == capacity) {
      retry_until_taken([&] { return (done = sum / answer()) != i - capacity; });
    }
    peer.pool.async_submit(&answer, [&sum](std::exception_ptr, int value) {
      sum.fetch_add(value, std::memory_order_relaxed);
    });
  }
  peer.finish();
  return nanoseconds_since(begin) / static_cast<double>(jobs);
}

double bare_post(unsigned workers, long jobs) {
  asio_thread_pool peer(workers, capacity);
  std::atomic<long> sum{0};
  auto const begin = clock::now();
  for (long i = 0; i != jobs; ++i) {
    asio::post(peer.pool, [&sum] { sum.fetch_add(answer(), std::memory_order_relaxed); });
  }
  peer.finish();
  return nanoseconds_since(begin) / static_cast<double>(jobs);
}

double by_future(long jobs) {
  brigade_pool peer(1, capacity);
  auto const begin = clock::now();
  for (long i = 0; i != jobs; ++i) {
    peer.pool.async_submit(&answer, asio::use_future).get();
  }
  return nanoseconds_since(begin) / static_cast<double>(jobs);
}

double post_by_future(long jobs) {
  asio_thread_pool peer(1, capacity);
  auto const begin = clock::now();
  for (long i = 0; i != jobs; ++i) asio::post(peer.pool, asio::use_future(&answer)).get();
  return nanoseconds_since(begin) / static_cast<double>(jobs);
}

}  // namespace

std::vector<contest> submit(settings const& with) {
  std::vector<contest> all;
  for (unsigned const workers : {1U, 2U}) {
    auto const jobs = with.scaled(500'000);
    contest event{"async_submit",
                  fmt::format("callback, {} workers", workers),
                  {"ns/job"},
                  {{"brigade", [=] { return callback(workers, jobs); }},
                   {"asio::post, no result", [=] { return bare_post(workers, jobs); }}}};
    add(event, with.others, "results", fmt::format("{} {}", workers, jobs));
    all.push_back(std::move(event));
  }
  auto const jobs = with.scaled(50'000);
  contest event{"async_submit",
                "use_future, one at a time",
                {"ns/job"},
                {{"brigade", [=] { return by_future(jobs); }},
                 {"asio::post", [=] { return post_by_future(jobs); }}}};
  add(event, with.others, "futures", fmt::format("1 {}", jobs));
  all.push_back(std::move(event));
  return all;
}

}  // namespace bench
