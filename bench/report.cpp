// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <cerrno>
#include <ctime>
#include <fstream>
#include <string_view>
#include <system_error>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <boost/json/src.hpp>
#include <brigade/version.hpp>

namespace bench {
namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (auto const colon = line.find(": "); line.starts_with("model name") && colon != line.npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

}  // namespace

void print(outcome const& result) {
  fmt::print("\n{} {} ({})\n", result.workload, result.parameters, result.unit);
  auto const base = result.entries.front().median();
  int const digits = base < 10 ? 3 : 1;
  for (auto const& entry : result.entries) {
    fmt::print("  {:<34}{:>12.{}f}   {:>10.{}f} .. {:<10.{}f}", entry.name, entry.median(), digits,
               entry.lowest(), digits, entry.highest(), digits);
    if (base > 0) fmt::print("{:>8.2f}x", entry.median() / base);
    fmt::print("\n");
  }
}

void write_json(std::string const& file, std::string const& command,
                std::vector<outcome> const& results) {
  boost::json::array all;
  for (auto const& result : results) {
    boost::json::array entries;
    for (auto const& entry : result.entries) {
      entries.push_back({{"name", entry.name},
                         {"median", entry.median()},
                         {"samples", boost::json::value_from(entry.samples)}});
    }
    all.push_back({{"workload", result.workload},
                   {"parameters", result.parameters},
                   {"unit", result.unit},
                   {"entries", std::move(entries)}});
  }
  boost::json::object const document{
      {"command", command},
      {"date", fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr)))},
      {"brigade", fmt::format("{}.{}.{}", BRIGADE_VERSION_MAJOR, BRIGADE_VERSION_MINOR,
                              BRIGADE_VERSION_PATCH)},
      {"compiler", __VERSION__},
      {"processor", processor()},
      {"cores", std::thread::hardware_concurrency()},
      {"results", std::move(all)}};
  std::ofstream out(file);
  out << boost::json::serialize(document) << '\n';
  out.close();
  if (!out) {
    throw std::system_error(errno, std::generic_category(),
                            fmt::format("cannot write the results to '{}'", file));
  }
}

}  // namespace bench
