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
  std::atomic<bool> busy{false};
  auto const job = [&] {
    busy = true;
    open.wait(false);
  };
  Pool pool(1, 1024);
  // The worker is busy before the queue is filled: a peer may give the slot back when a job begins.
  static_cast<void>(pool.try_post(job));
  spin_until([&] { return busy.load(); });
  while (pool.try_post(job)) {
  }
  long taken = 0;
  auto const begin = clock::now();
  for (long i = 0; i != calls; ++i) taken += pool.try_post(job);
  auto const spent = nanoseconds_since(begin) / static_cast<double>(calls);
  open = true;
  open.notify_all();
  pool.finish();
  if (taken != 0) throw std::logic_error("a full pool took a job");
  return spent;
}

}  // namespace

std::vector<contest> refusal(settings const& with) {
  auto const calls = with.scaled(5'000'000);
  contest event{"refusal",
                "1 worker",
                {"ns/call"},
                {{brigade_pool::name, [=] { return refused<brigade_pool>(calls); }},
                 {counted_context::name, [=] { return refused<counted_context>(calls); }}}};
  add(event, with.others, "refusal", fmt::format("{}", with.scaled(1'000'000)));
  return {std::move(event)};
}

}  // namespace bench
