// How results are shown: a table for people, JSON for programs.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

#include "measurement.hpp"

namespace bench {

/// Prints medians, extremes, and how many times the first contestant's median each one is.
void print(outcome const& result);

/// Writes all samples, and what machine they are from. Throws std::system_error if it cannot.
void write_json(std::string const& file, std::string const& command,
                std::vector<outcome> const& results);

}  // namespace bench
