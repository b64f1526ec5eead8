// Storms without end: storms_soak [--soak SECONDS] [--seed NUMBER].
//
// Random programs by three threads, in turns on a pool that lives for as long as the program and on
// one that is made for the round and ended in the middle of it. What became of each job is checked
// after each round, and at the end, of a soak of a minute or more, that resident memory has stayed
// what it was once the program had warmed up. The seed makes the programs, not the times at which their threads meet.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <random>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <rapidcheck.h>

#include "storms/crowd.hpp"
#include "storms/program.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

std::size_t resident_kib() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

struct arguments {
  std::uint64_t soak = 5;
  std::uint64_t seed = std::random_device{}();
};

bool parse(int argc, char** argv, arguments& out) {
  for (int i = 1; i < argc; i += 2) {
    std::string_view const name = argv[i];
    auto* const value = name == "--soak" ? &out.soak : name == "--seed" ? &out.seed : nullptr;
    if (value == nullptr || i + 1 == argc) return false;
    std::string_view const text = argv[i + 1];
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
    if (error != std::errc{} || end != text.data() + text.size()) return false;
  }
  return out.soak != 0;
}

/// The most that was resident in each tenth of the time.
class memory_record {
 public:
  void add(double part) {
    auto& most = tenths_.at(static_cast<std::size_t>(std::clamp(part * 10, 0.0, 9.0)));
    most = std::max(most, resident_kib());
  }
  /// After the first half, which is for pools and allocators to warm up in, it does not grow by
  /// more than an eighth.
  [[nodiscard]] bool is_flat() const { return last() <= middle() + middle() / 8; }
  [[nodiscard]] std::size_t middle() const {
    return *std::max_element(tenths_.begin(), tenths_.begin() + 5);
  }
  [[nodiscard]] std::size_t last() const { return tenths_.back(); }

 private:
  std::vector<std::size_t> tenths_ = std::vector<std::size_t>(10);
};

}  // namespace

int main(int argc, char** argv) {
  arguments asked;
  if (!parse(argc, argv, asked)) {
    std::fputs("usage: storms_soak [--soak SECONDS] [--seed NUMBER]; SECONDS is 1 or more\n",
               stderr);
    return 2;
  }
  fmt::print("seed {}\n", asked.seed);
  std::fflush(stdout);
  rc::Random random(asked.seed);
  auto const lasting = storms::make_pool({.workers = 2, .capacity = 8, .max_waiting = 4});
  memory_record memory;
  std::uint64_t rounds = 0;
  std::uint64_t jobs = 0;
  std::chrono::duration<double> const length = std::chrono::seconds(asked.soak);
  auto const began = clock_type::now();
  for (; clock_type::now() - began < length; ++rounds) {
    bool const lasts = rounds % 2 == 0;
    auto const setup = storms::setups()(random.split()).value();
    std::vector<storms::program> programs;
    for (int thread = 0; thread != 3; ++thread) {
      programs.push_back(storms::programs(!lasts)(random.split()).value());
    }
    auto const own = lasts ? nullptr : storms::make_pool(setup);
    storms::crowd crowd(lasts ? *lasting : *own, setup.group_bound, programs);
    if (auto const wrong = crowd.storm(!lasts); !wrong.empty()) {
      fmt::print("round {} of seed {}: {}\n", rounds, asked.seed, wrong);
      return 1;
    }
    jobs += crowd.jobs();
    memory.add((clock_type::now() - began) / length);
  }
  fmt::print("{} rounds, {} jobs; resident {} KiB in the first half, {} KiB at the end\n", rounds,
             jobs, memory.middle(), memory.last());
  if (asked.soak < 60 || memory.is_flat()) return 0;
  fmt::print("resident memory has grown\n");
  return 1;
}
