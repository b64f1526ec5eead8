// 17. Shedding: a queue that stands only makes everything late, so part of it is given up.
//
// More comes in than the worker can do. With a bound alone each job would wait for all of those
// before it, and come too late; with shedding those that are run have waited a few milliseconds.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <chrono>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Offers 400 jobs of 1 ms at once; gives back how long those that ran had waited.
std::vector<std::chrono::nanoseconds> overload(brigade::worker_pool& pool) {
  std::vector<std::chrono::nanoseconds> waits;  // written by the one worker
  auto const submitted = brigade::clock::now();
  for (int i = 0; i != 400; ++i) {
    auto const job = [&waits, submitted] {
      auto const started = brigade::clock::now();
      waits.push_back(started - submitted);
      std::this_thread::sleep_for(1ms);  // stands for work
    };
    if (pool.try_post(job)) break;
  }
  pool.join();
  return waits;
}

}  // namespace

int main() {
  brigade::worker_pool patient{{.threads = 1, .capacity = 512}};
  auto const all = overload(patient);
  fmt::print("without: ran {}, the last one had waited for more than 400 ms: {}\n", all.size(),
             all.back() >= 399ms);

  brigade::worker_pool brisk{
      {.threads = 1, .capacity = 512, .shedding = brigade::codel{.target = 5ms, .interval = 20ms}}};
  auto const some = overload(brisk);
  auto const now = brisk.metrics();
  fmt::print("with: some were shed: {}, and all were accounted for: {}\n", now.shed > 0,
             now.completed + now.shed == 400);
}

// Output:
//   without: ran 400, the last one had waited for more than 400 ms: true
//   with: some were shed: true, and all were accounted for: true
