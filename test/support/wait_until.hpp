// Waiting for a condition instead of for a guess at how long it takes.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <thread>

namespace test {

/// Waits until `condition()` holds. False: it did not within `limit`, which is only there so that a
/// broken test ends.
template <class Condition>
[[nodiscard]] bool wait_until(Condition condition,
                              std::chrono::seconds limit = std::chrono::seconds{60}) {
  auto const end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace test
