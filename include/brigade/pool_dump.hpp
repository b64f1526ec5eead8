// brigade: what a pool is doing at this moment, for a person who wonders why it does not get on.
//
//   fmt::print(stderr, "{}", pool.dump());
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include <brigade/metrics.hpp>
#include <brigade/running_job.hpp>

namespace brigade {

/// A snapshot of the pool's numbers, and of what runs on it. The two are taken one after the other.
struct pool_dump {
  std::string pool{};  ///< `pool_options::name`.
  pool_metrics metrics{};
  std::vector<running_job> running{};  ///< By worker, then the coroutine jobs.
};

/// Lines, each with its end: one of numbers, and one for everything that runs. fmt prints the same.
std::string to_string(pool_dump const& dump);

}  // namespace brigade

template <>
struct fmt::formatter<brigade::pool_dump> : fmt::formatter<std::string> {
  template <class Context>
  auto format(brigade::pool_dump const& dump, Context& context) const {
    return fmt::formatter<std::string>::format(brigade::to_string(dump), context);
  }
};
