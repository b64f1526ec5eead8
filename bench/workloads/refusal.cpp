// What it costs to be told that the pool is full.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <stdexcept>

#include <fmt/core.h>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

template <class Pool>
double refused(long calls) {
  std::atomic<bool> open{false};
  auto const job = [&open] { open.wait(false); };
  Pool pool(1, 1024);
  while (pool.try_post(job)) {
  }
  auto const begin = clock::now();
  for (long i = 0; i != calls; ++i) {
    if (pool.try_post(job)) throw std::logic_error("a full pool took a job");
  }
  auto const spent = nanoseconds_since(begin) / static_cast<double>(calls);
  open = true;
  open.notify_all();
  pool.finish();
  return spent;
}

}  // namespace

std::vector<contest> refusal(settings const& with) {
  auto const calls = with.scaled(5'000'000);
  contest event{"refusal",
                "1 worker",
                "ns/call",
                {{brigade_pool::name, [=] { return refused<brigade_pool>(calls); }},
                 {counted_context::name, [=] { return refused<counted_context>(calls); }}}};
  add(event, with.others, fmt::format("refusal {}", with.scaled(1'000'000)));
  return {std::move(event)};
}

}  // namespace bench
