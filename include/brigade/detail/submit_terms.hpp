// On what terms a job asks for admission.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/detail/admission.hpp>
#include <brigade/options.hpp>

namespace brigade::detail {

struct submit_terms {
  submit_options options{};
  bool has_slot = false;  // a permit's, which is given back once the job has one of its own

  [[nodiscard]] bool runs_in_caller(verdict answer) const noexcept {
    return answer == verdict::queue_full && options.when_full == overflow::caller_runs;
  }
  [[nodiscard]] bool waits(verdict answer) const noexcept {
    return answer == verdict::queue_full && options.when_full == overflow::wait;
  }
  /// Whether there may be reason to end the job early, or it has a name to be remembered.
  [[nodiscard]] bool need_control() const noexcept {
    return options.start_by || options.name != nullptr || options.when_full == overflow::wait;
  }
};

}  // namespace brigade::detail
