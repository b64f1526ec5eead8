// SPDX-License-Identifier: BSL-1.0
#include <brigade/metrics.hpp>

namespace brigade {

std::uint64_t rejected_jobs::operator[](errc reason) const noexcept {
  switch (reason) {
    case errc::queue_full: return queue_full;
    case errc::closed: return closed;
    case errc::expired: return expired;
    case errc::shed:
    case errc::job_failed: break;
  }
  return 0;
}

}  // namespace brigade
