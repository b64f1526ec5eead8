// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/caller_guard.hpp>

#include <brigade/detail/relax.hpp>

namespace brigade::detail {

void caller_guard::wait_for_others(void const* core) noexcept {
  for (auto* place = thread_place::first(); place != nullptr; place = place->next) {
    if (place == thread_place::existing()) continue;
    for (unsigned lap = 1; place->calling.load(std::memory_order_acquire) == core; ++lap) {
      relax(lap);
    }
  }
}

}  // namespace brigade::detail
