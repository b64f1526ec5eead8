// SPDX-License-Identifier: BSL-1.0
#include "measurement.hpp"

#include <algorithm>

namespace bench {

double series::median() const {
  auto sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  auto const middle = sorted.size() / 2;
  return sorted.size() % 2 != 0 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double series::lowest() const { return *std::min_element(samples.begin(), samples.end()); }

double series::highest() const { return *std::max_element(samples.begin(), samples.end()); }

outcome hold(contest const& event, int rounds) {
  outcome result{event.workload, event.parameters, event.unit, {}};
  for (auto const& one : event.contestants) result.entries.push_back({one.name, {}});
  auto const count = event.contestants.size();
  for (int round = 0; round != rounds; ++round) {
    for (std::size_t i = 0; i != count; ++i) {
      auto const turn = (i + static_cast<std::size_t>(round)) % count;
      result.entries[turn].samples.push_back(event.contestants[turn].run());
    }
  }
  return result;
}

}  // namespace bench
