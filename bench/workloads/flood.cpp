// Tiny jobs, as fast as they can be submitted.
// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include "limits.hpp"
#include "peers/channel_workers.hpp"
#include "peers/pools.hpp"
#include "peers/strand_admission.hpp"
#include "workload.hpp"
#include "workloads/flood_of.hpp"

namespace bench {
namespace {

template <class Pool>
contestant entry(unsigned submitters, unsigned workers, long jobs) {
  return {Pool::name, [=] { return flood_of<Pool>(submitters, workers, jobs, 1024); }};
}

}  // namespace

std::vector<contest> flood(settings const& with) {
  std::vector<contest> all;
  for (unsigned const submitters : {1U, 2U, 4U}) {
    for (unsigned const workers : {1U, 2U, 4U}) {
      auto const jobs = with.scaled(500'000);
      contest event{"flood",
                    fmt::format("{} submitters x {} workers", submitters, workers),
                    {"ns/job"},
                    {entry<brigade_pool>(submitters, workers, 4 * jobs),
                     entry<asio_thread_pool>(submitters, workers, jobs / 2),
                     entry<counted_context>(submitters, workers, jobs / 2),
                     entry<strand_admission>(submitters, workers, jobs / 4),
                     entry<channel_workers>(submitters, workers, jobs / 4),
                     entry<tbb_arena>(submitters, workers, jobs)}};
      add(event, with.others, "flood", fmt::format("{} {} {} 1024", submitters, workers, jobs));
      event.contestants.push_back(
          {"limit: a ring of one producer", [=] { return single_producer_ring(2 * jobs); }});
      all.push_back(std::move(event));
    }
  }
  return all;
}

}  // namespace bench
