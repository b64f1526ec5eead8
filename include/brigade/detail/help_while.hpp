// A worker that waits for a future and works meanwhile.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <future>

#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

template <class Future>
void help_while_waiting(pool_core& core, Future const& future) {
  if (!core.works_here()) return future.wait();
  for (auto pause = std::chrono::milliseconds{0};;) {
    if (future.wait_for(pause) != std::future_status::timeout) break;
    pause = std::chrono::milliseconds{core.help() ? 0 : 1};
  }
  future.wait();  // a deferred one runs here
}

}  // namespace brigade::detail
