// 14. Lanes: what a person waits for goes before what can wait, and that is not starved.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <latch>
#include <string>

namespace {

constexpr unsigned interactive = 0;
constexpr unsigned batch = 1;

}  // namespace

int main() {
  brigade::worker_pool pool{{.threads = 1,
                             .capacity = 32,
                             .lanes = {{.weight = 3, .name = "interactive"},
                                       {.capacity = 8, .weight = 1, .name = "batch"}}}};
  std::latch gate{1};
  std::string order;  // written by the one worker
  if (pool.try_post([&gate] { gate.wait(); })) return 1;

  // The batch comes first, and more of it than its lane takes.
  int refused = 0;
  for (int i = 0; i != 20; ++i) {
    if (pool.try_post([&order] { order += 'b'; }, {.lane = batch})) ++refused;
  }
  for (int i = 0; i != 8; ++i) {
    if (pool.try_post([&order] { order += 'I'; }, {.lane = interactive})) return 1;
  }
  fmt::print("refused: {} of the batch, none of the others\n", refused);

  gate.count_down();
  pool.join();
  fmt::print("served: {}\n", order);
  for (auto const& lane : pool.metrics().lanes) fmt::print("{}: {}\n", lane.name, lane.completed);
}

// Output:
//   refused: 12 of the batch, none of the others
//   served: IIbIIIbIIIbbbbbb
//   interactive: 9
//   batch: 8
