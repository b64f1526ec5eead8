// SPDX-License-Identifier: BSL-1.0
#include "estimate.hpp"

#include <algorithm>

namespace press {

std::chrono::seconds retry_after(brigade::worker_pool const& pool) {
  using std::chrono::seconds;
  return std::clamp(std::chrono::ceil<seconds>(pool.estimated_wait()), seconds{1}, seconds{60});
}

}  // namespace press
