// SPDX-License-Identifier: BSL-1.0
#include <brigade/observer.hpp>

namespace brigade {

std::string_view to_string(job_outcome outcome) noexcept {
  switch (outcome) {
    case job_outcome::completed: return "completed";
    case job_outcome::failed: return "failed";
    case job_outcome::cancelled: return "cancelled";
    case job_outcome::expired: return "expired";
    case job_outcome::shed: return "shed";
  }
  return "unknown";
}

void job_observer::admitted(observed_job const&) {}

void job_observer::started(observed_job const&, std::chrono::nanoseconds) {}

void job_observer::finished(observed_job const&, job_outcome, job_times const&) {}

}  // namespace brigade
