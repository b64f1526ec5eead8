// press: the numbers of the pool and of the HTTP side in Prometheus' text format, version 0.0.4.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/metrics.hpp>
#include <string>
#include <string_view>

#include "traffic.hpp"

namespace press {

/// `executor` is the pool's name. It becomes a label: letters, digits and dashes only.
std::string metrics_text(brigade::pool_metrics const& pool, traffic const& http,
                         std::string_view executor);

}  // namespace press
