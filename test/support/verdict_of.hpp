// What a future of async_submit was told.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <future>

#include <brigade/error.hpp>

namespace test {

/// Waits for it. No error: the job has run and thrown nothing.
[[nodiscard]] inline brigade::error_code verdict_of(std::future<void>& ended) {
  try {
    ended.get();
    return {};
  } catch (...) {
    return brigade::to_error_code(std::current_exception());
  }
}

}  // namespace test
