// The flood again, while capacity, workers or submitters grow. Compared with the first.
// SPDX-License-Identifier: BSL-1.0
#include <initializer_list>

#include <fmt/core.h>

#include "peers/pools.hpp"
#include "workload.hpp"
#include "workloads/flood_of.hpp"

namespace bench {

std::vector<contest> growth(settings const& with) {
  auto const jobs = with.scaled(1'000'000);
  // Each cell has been used once: what a first touch of memory costs is the system's affair.
  auto const entry = [jobs](unsigned submitters, unsigned workers, std::size_t capacity) {
    return [=] { return flood_of<brigade_pool>(submitters, workers, jobs, capacity, capacity); };
  };
  contest capacities{"growth", "capacity, 1 submitter x 1 worker", {"ns/job"}, {}};
  for (std::size_t const capacity :
       std::initializer_list<std::size_t>{1'024, 64, 16'384, 131'072, 1'048'576}) {
    capacities.contestants.push_back({fmt::format("capacity {}", capacity), entry(1, 1, capacity)});
  }
  contest workers{"growth", "workers, 1 submitter", {"ns/job"}, {}};
  for (unsigned const count : {1U, 2U, 4U, 16U, 64U}) {
    workers.contestants.push_back({fmt::format("{} workers", count), entry(1, count, 1024)});
  }
  contest submitters{"growth", "submitters, 2 workers", {"ns/job"}, {}};
  for (unsigned const count : {1U, 2U, 4U, 8U, 16U}) {
    submitters.contestants.push_back({fmt::format("{} submitters", count), entry(count, 2, 1024)});
  }
  return {std::move(capacities), std::move(workers), std::move(submitters)};
}

}  // namespace bench
