// The list of workloads. Each makes its contests; none runs before it is asked to.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

#include "measurement.hpp"
#include "peers/process.hpp"

namespace bench {

struct settings {
  bool quick = false;
  std::vector<process_peer> others;

  /// How many jobs a sample is made of, where `full` is what a whole run uses.
  [[nodiscard]] long scaled(long full) const { return quick ? full / 5 : full; }
};

struct workload {
  std::string name;
  std::vector<contest> (*contests)(settings const&);
};

std::vector<contest> flood(settings const&);
std::vector<contest> there_and_back(settings const&);
std::vector<contest> refusal(settings const&);
std::vector<contest> submit(settings const&);
std::vector<contest> coroutines(settings const&);
std::vector<contest> grain(settings const&);
std::vector<contest> overload(settings const&);
std::vector<contest> memory(settings const&);
std::vector<contest> growth(settings const&);
std::vector<contest> idle(settings const&);
std::vector<contest> ending(settings const&);
std::vector<contest> neighbours(settings const&);

inline std::vector<workload> workloads() {
  return {{"flood", flood},           {"there_and_back", there_and_back},
          {"refusal", refusal},       {"submit", submit},
          {"coroutines", coroutines}, {"grain", grain},
          {"overload", overload},     {"memory", memory},
          {"growth", growth},         {"idle", idle},
          {"ending", ending},         {"neighbours", neighbours}};
}

}  // namespace bench
