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

std::vector<outcome> hold(contest const& event, int rounds) {
  std::vector<outcome> results;
  for (auto const& unit : event.units) {
    auto& result = results.emplace_back(outcome{event.workload, event.parameters, unit, {}});
    for (auto const& one : event.contestants) result.entries.push_back({one.name, {}});
  }
  auto const count = event.contestants.size();
  for (int round = 0; round != rounds; ++round) {
    for (std::size_t i = 0; i != count; ++i) {
      auto const turn = (i + static_cast<std::size_t>(round)) % count;
      auto const figures = event.contestants[turn].run();
      for (std::size_t unit = 0; unit != results.size(); ++unit) {
        results[unit].entries[turn].samples.push_back(figures.at(unit));
      }
    }
  }
  return results;
}

}  // namespace bench
