// SPDX-License-Identifier: BSL-1.0
#include "peers/process.hpp"

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include <fmt/core.h>

namespace bench {

std::vector<process_peer> process_peers(std::string const& directory) {
  namespace fs = std::filesystem;
  std::vector<process_peer> found;
  if (auto const program = directory + "/go_pool"; fs::exists(program)) {
    found.push_back(
        {"Go channel pool", program, {"flood", "trip", "asleep", "refusal", "results"}});
  }
  if (fs::exists(directory + "/JavaPool.class")) {
    found.push_back({"Java ThreadPoolExecutor",
                     "java -cp " + directory + " JavaPool",
                     {"flood", "trip", "asleep", "refusal", "futures"}});
  }
  if (auto const program = directory + "/rust_pool"; fs::exists(program)) {
    found.push_back({"tokio bounded mpsc", program + " tokio", {"flood", "trip", "refusal"}});
    found.push_back({"rayon ThreadPool", program + " rayon", {"flood", "trip"}});
  }
  return found;
}

double sample_of(std::string const& command) {
  auto* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error(fmt::format("cannot start '{}'", command));
  double number = 0;
  auto const read = std::fscanf(pipe, "%lf", &number);
  if (pclose(pipe) != 0 || read != 1) {
    throw std::runtime_error(fmt::format("'{}' failed or printed no number", command));
  }
  return number;
}

void add(contest& event, std::vector<process_peer> const& peers, std::string const& workload,
         std::string const& arguments) {
  for (auto const& peer : peers) {
    if (!peer.workloads.contains(workload)) continue;
    auto const line = fmt::format("{} {} {}", peer.command, workload, arguments);
    event.contestants.push_back({peer.name, [line] { return sample_of(line); }});
  }
}

}  // namespace bench
