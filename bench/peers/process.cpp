// SPDX-License-Identifier: BSL-1.0
#include "peers/process.hpp"

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include <fmt/core.h>

namespace bench {

std::vector<process_peer> process_peers(std::string const& directory) {
  std::vector<process_peer> found;
  if (std::filesystem::exists(directory + "/go_pool")) {
    found.push_back({"Go channel pool", directory + "/go_pool"});
  }
  if (std::filesystem::exists(directory + "/JavaPool.class")) {
    found.push_back({"Java ThreadPoolExecutor", "java -cp " + directory + " JavaPool"});
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

void add(contest& event, std::vector<process_peer> const& peers, std::string const& arguments) {
  for (auto const& peer : peers) {
    event.contestants.push_back(
        {peer.name, [line = peer.command + ' ' + arguments] { return sample_of(line); }});
  }
}

}  // namespace bench
