// How long a pool takes to end.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <cstddef>

#include <fmt/core.h>
#include <boost/asio/use_future.hpp>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

double drain_idle() {
  brigade_pool peer(2, 1024);
  auto const begin = clock::now();
  peer.pool.async_drain(boost::asio::use_future).get();
  return nanoseconds_since(begin) / 1e3;
}

// Per queued job that is thrown away, in nanoseconds.
double stop_full(std::size_t queued) {
  brigade_pool peer(1, queued);
  std::atomic<bool> open{false};
  auto const hold = [&open] { open.wait(false); };
  while (peer.try_post(hold)) {
  }
  auto const begin = clock::now();
  peer.pool.stop();
  auto const spent = nanoseconds_since(begin) / static_cast<double>(queued);
  open = true;
  open.notify_all();
  return spent;
}

}  // namespace

std::vector<contest> ending(settings const& with) {
  auto const queued = static_cast<std::size_t>(with.scaled(1'000'000));
  return {{"ending", "async_drain of an idle pool", {"us"}, {{brigade_pool::name, drain_idle}}},
          {"ending",
           fmt::format("stop with {} queued", queued),
           {"ns/job"},
           {{brigade_pool::name, [=] { return stop_full(queued); }}}}};
}

}  // namespace bench
