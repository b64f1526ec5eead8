// How many threads this process has.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <iterator>

namespace test {

inline long threads_now() {
  using iterator = std::filesystem::directory_iterator;
  return std::distance(iterator("/proc/self/task"), iterator{});
}

}  // namespace test
