// Refusals are counted exactly, whichever line a thread counts on.
// SPDX-License-Identifier: BSL-1.0
#include <thread>
#include <vector>

#include <brigade/detail/refusal_counts.hpp>

#include "support/catch.hpp"

using brigade::detail::refusal_counts;
using brigade::detail::verdict;

namespace {

// Far more threads at the same time than have a line of their own.
constexpr unsigned threads = 40;
constexpr unsigned refusals = 5'000;

}  // namespace

TEST_CASE("none is lost, with more threads than lines and with numbers used again",
          "[unit][refusal_counts]") {
  refusal_counts counts;
  for (unsigned generation = 1; generation <= 3; ++generation) {
    {
      std::vector<std::jthread> all;
      for (unsigned t = 0; t != threads; ++t) {
        all.emplace_back([&counts] {
          for (unsigned i = 0; i != refusals; ++i) {
            counts.add(verdict::queue_full);
            if (i % 5 == 0) counts.add(verdict::closed);
          }
        });
      }
    }
    CHECK(counts.of(verdict::queue_full) == generation * threads * refusals);
    CHECK(counts.of(verdict::closed) == generation * threads * refusals / 5);
  }
}
