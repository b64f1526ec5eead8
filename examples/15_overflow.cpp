// 15. Overflow: other answers to a full pool. The caller runs the job, or the oldest makes way.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <boost/asio/use_future.hpp>
#include <exception>
#include <future>
#include <latch>
#include <thread>
#include <vector>

namespace asio = boost::asio;

namespace {

// Fills the pool with a job that waits and two that are queued.
bool fill(brigade::worker_pool& pool, std::latch& gate, std::vector<int>& seen) {
  std::latch started{1};
  bool const refused = static_cast<bool>(pool.try_post([&] {
    started.count_down();
    gate.wait();
  }));
  if (refused) return false;
  started.wait();
  return !pool.try_post([&seen] { seen.push_back(1); }) &&
         !pool.try_post([&seen] { seen.push_back(2); });
}

}  // namespace

int main() {
  {
    brigade::worker_pool pool{{.threads = 1, .capacity = 3}};
    std::latch gate{1};
    std::vector<int> seen;
    if (!fill(pool, gate, seen)) return 1;

    // A producer that is slowed down by its own work.
    auto const here = std::this_thread::get_id();
    auto const where = [here] { return std::this_thread::get_id() == here; };
    auto ran_here =
        pool.async_submit(where, {.when_full = brigade::overflow::caller_runs}, asio::use_future);
    fmt::print("the caller ran it: {}\n", ran_here.get());
    gate.count_down();
    pool.join();
    fmt::print("counted: {} by callers, {} by workers\n", pool.metrics().caller_ran,
               pool.metrics().completed);
  }
  {
    brigade::worker_pool pool{{.threads = 1, .capacity = 3}};
    std::latch gate{1};
    std::vector<int> seen;
    if (!fill(pool, gate, seen)) return 1;

    // Only what is fresh is worth anything: 3 takes the slot of 1.
    auto newest =
        pool.async_submit([&seen] { seen.push_back(3); },
                          {.when_full = brigade::overflow::drop_oldest}, asio::use_future);
    gate.count_down();
    newest.get();
    fmt::print("seen: {} and {}, shed: {}\n", seen.at(0), seen.at(1), pool.metrics().shed);
  }
}

// Output:
//   the caller ran it: true
//   counted: 1 by callers, 3 by workers
//   seen: 2 and 3, shed: 1
