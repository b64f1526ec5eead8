// What the page asks for every second: snapshots of the pools as JSON.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

#include <brigade/prometheus.hpp>

namespace brigade::detail {

/// All times are in seconds. The members are listed in docs/monitoring.md.
std::string pools_json(std::string const& title, bool ready,
                       std::vector<pool_reading> const& pools);

}  // namespace brigade::detail
