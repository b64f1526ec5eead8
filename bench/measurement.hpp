// What the bench measures: contestants of one workload, run in turns, round after round.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench {

/// One way to do the work; `run` gives one sample in the unit of its contest.
struct contestant {
  std::string name;
  std::function<double()> run;
};

/// Contestants that do the same work. The first is the one that the others are compared with.
struct contest {
  std::string workload;
  std::string parameters;
  std::string unit;
  std::vector<contestant> contestants;
};

/// The samples of one contestant, in the order in which they were taken.
struct series {
  std::string name;
  std::vector<double> samples;

  [[nodiscard]] double median() const;
  [[nodiscard]] double lowest() const;
  [[nodiscard]] double highest() const;
};

struct outcome {
  std::string workload;
  std::string parameters;
  std::string unit;
  std::vector<series> entries;
};

/// Runs each contestant once a round. Each round begins with another one, so that none always
/// follows the same neighbour.
outcome hold(contest const& event, int rounds);

}  // namespace bench
