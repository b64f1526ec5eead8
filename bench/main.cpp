// Runs the workloads and prints who needed how much. Use scripts/bench, which builds the peers.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "report.hpp"
#include "workload.hpp"

int main(int argc, char** argv) try {
  auto const known = bench::workloads();
  std::vector<std::string> names;
  for (auto const& each : known) names.push_back(each.name);

  CLI::App app{"brigade beside its peers, in turns, in one run; medians, extremes, ratios"};
  bench::settings with;
  int rounds = 7;
  std::string json;
  std::string peers = ".";
  std::vector<std::string> only;
  app.add_flag("--quick", with.quick, "smaller samples, three rounds");
  auto* const given =
      app.add_option("--rounds", rounds, "samples of each contestant")->check(CLI::Range(1, 1000));
  app.add_option("--json", json, "write every sample to this file");
  app.add_option("--only", only, fmt::format("workloads, of: {}", fmt::join(names, " ")))
      ->check(CLI::IsMember(names));
  app.add_option("--peers", peers, "where the programs in Go and Java are")
      ->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  if (with.quick && given->empty()) rounds = 3;
  with.others = bench::process_peers(peers);

  std::vector<bench::outcome> results;
  for (auto const& each : known) {
    if (!only.empty() && std::find(only.begin(), only.end(), each.name) == only.end()) continue;
    for (auto const& event : each.contests(with)) {
      for (auto& result : bench::hold(event, rounds)) {
        bench::print(result);
        results.push_back(std::move(result));
      }
      std::fflush(stdout);
    }
  }
  if (!json.empty()) {
    auto const* const typed = std::getenv("BRIGADE_BENCH_COMMAND");
    bench::write_json(
        json, typed != nullptr ? typed : fmt::format("{}", fmt::join(argv, argv + argc, " ")),
        results);
  }
} catch (std::exception const& failure) {
  fmt::print(stderr, "error: {}\n", failure.what());
  return 1;
}
