// What the bench measures: contestants of one workload, run in turns, round after round.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace bench {

/// One sample: a number for each unit of its contest.
struct sample : std::vector<double> {
  sample(double only) : vector{only} {}
  sample(std::initializer_list<double> all) : vector(all) {}
};

/// One way to do the work.
struct contestant {
  std::string name;
  std::function<sample()> run;
};

/// Contestants that do the same work. The first is the one that the others are compared with.
struct contest {
  std::string workload;
  std::string parameters;
  std::vector<std::string> units;
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

/// How a contest went, in one of its units.
struct outcome {
  std::string workload;
  std::string parameters;
  std::string unit;
  std::vector<series> entries;
};

/// Runs each contestant once a round. Each round begins with another one, so that none always
/// follows the same neighbour. Gives an outcome for each unit.
std::vector<outcome> hold(contest const& event, int rounds);

}  // namespace bench
