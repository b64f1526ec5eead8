// Metrics that are read from four threads while jobs of every kind pour in: counts of the
// histograms keep between those of the ledger, and nothing shrinks.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::pool_metrics;

namespace {

constexpr int submitters = 3;
constexpr int jobs_each = 4'000;

bool has_shrunk(pool_metrics const& before, pool_metrics const& after) {
  if (after.queue_wait.count() < before.queue_wait.count()) return true;
  if (after.run_time.count() < before.run_time.count()) return true;
  if (after.run_time.sum() < before.run_time.sum()) return true;
  if (after.run_time.max() < before.run_time.max()) return true;
  for (std::size_t i = 0; i != before.worker_busy.size(); ++i) {
    if (after.worker_busy[i] < before.worker_busy[i]) return true;
  }
  return false;
}

bool fits(pool_metrics const& m) {
  return m.completed + m.failed <= m.run_time.count() && m.run_time.count() <= m.queue_wait.count();
}

bool is_too_long(pool_metrics const& m, std::chrono::nanoseconds elapsed) {
  return m.run_time.max() > elapsed || m.queue_wait.max() > elapsed ||
         std::any_of(m.worker_busy.begin(), m.worker_busy.end(),
                     [elapsed](auto busy) { return busy > elapsed; });
}

/// Takes snapshots until told to end; what was wrong with the first bad one.
std::string watch(brigade::worker_pool const& pool, bool full, std::atomic<bool> const& end,
                  std::chrono::steady_clock::time_point began) {
  pool_metrics last = pool.metrics();
  while (!end) {
    auto now = pool.metrics();
    if (full && !fits(now)) return "the counts do not fit";
    if (has_shrunk(last, now)) return "a number has shrunk";
    if (is_too_long(now, std::chrono::steady_clock::now() - began)) return "a time is too long";
    last = std::move(now);
  }
  return {};
}

void submit(brigade::worker_pool& pool, std::atomic<int>& told) {
  auto const handler = [&told](std::exception_ptr) { ++told; };
  for (int i = 0; i != jobs_each; ++i) {
    while (pool.try_post([] {})) std::this_thread::yield();
    pool.async_submit([] {}, handler);
    if (i % 16 == 0) {
      auto coroutine = []() -> asio::awaitable<void> { co_await asio::post(asio::use_awaitable); };
      pool.async_submit(coroutine, handler);
    } else {
      pool.async_submit([](std::stop_token) {}, handler);
    }
  }
}

void flood(brigade::timing mode) {
  auto const began = std::chrono::steady_clock::now();
  brigade::worker_pool pool{{.threads = 3, .capacity = 64, .turn_jobs = 16, .timing = mode}};
  bool const full = mode == brigade::timing::full;
  std::atomic<bool> end{false};
  std::vector<std::string> faults(4);
  std::vector<std::thread> watchers;
  for (auto& fault : faults) {
    watchers.emplace_back([&] { fault = watch(pool, full, end, began); });
  }
  std::atomic<int> told{0};
  std::vector<std::thread> threads;
  for (int s = 0; s != submitters; ++s) threads.emplace_back([&] { submit(pool, told); });
  for (auto& thread : threads) thread.join();
  pool.join();
  end = true;
  for (auto& thread : watchers) thread.join();
  for (auto const& fault : faults) CHECK(fault == "");
  CHECK(told == 2 * submitters * jobs_each);
  auto const m = pool.metrics();
  if (full) {
    CHECK(m.run_time.count() == m.completed);
    CHECK(m.queue_wait.count() == m.completed);
  }
}

}  // namespace

TEST_CASE("times that are read during a flood fit the counts and never shrink, all jobs timed",
          "[stress][timing]") {
  flood(brigade::timing::full);
}
TEST_CASE("times that are read during a flood never shrink, some jobs timed", "[stress][timing]") {
  flood(brigade::timing::sampled);
}
