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

std::chrono::nanoseconds state_times::operator[](pool_state state) const noexcept {
  switch (state) {
    case pool_state::running: return running;
    case pool_state::lame_duck: return lame_duck;
    case pool_state::draining: return draining;
    case pool_state::cancelling: return cancelling;
    case pool_state::stopped: return stopped;
  }
  return {};
}

}  // namespace brigade
