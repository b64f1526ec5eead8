// SPDX-License-Identifier: BSL-1.0
#include "estimate.hpp"

#include <algorithm>

namespace press {

std::chrono::nanoseconds estimated_wait(brigade::worker_pool const& pool) {
  return pool.metrics().oldest_queued_age;
}

std::chrono::seconds retry_after(brigade::worker_pool const& pool) {
  using std::chrono::seconds;
  return std::clamp(std::chrono::ceil<seconds>(estimated_wait(pool)), seconds{1}, seconds{60});
}

}  // namespace press
