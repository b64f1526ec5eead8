// Peers in other languages: programs that print one number for a workload.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "measurement.hpp"

namespace bench {

struct process_peer {
  std::string name;
  std::string command;
  std::set<std::string> workloads;  // the first words of arguments that it knows
};

/// Those that scripts/bench has built into `directory`, and whose runtimes are there.
std::vector<process_peer> process_peers(std::string const& directory);

/// Runs `command arguments` and reads the number on its standard output. Throws std::runtime_error
/// with the command when it fails.
double sample_of(std::string const& command);

/// Adds to `event` every peer that knows `workload`, called with it and `arguments`.
void add(contest& event, std::vector<process_peer> const& peers, std::string const& workload,
         std::string const& arguments);

}  // namespace bench
