// On what terms a job asks for admission.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/detail/admission.hpp>
#include <brigade/options.hpp>

namespace brigade::detail {

class group_state;

struct submit_terms {
  submit_options options{};
  bool has_slot = false;         // a permit's, which is given back once the job has one of its own
  group_state* group = nullptr;  // that the job is of
  backoff_policy const* retry = nullptr;  // how to go on where there is no slot

  /// Those of somebody who said nothing.
  [[nodiscard]] bool are_plain() const noexcept {
    return options.lane == 0 && !has_slot && !may_do_more_when_full() && !need_control();
  }
  [[nodiscard]] bool runs_in_caller(verdict answer) const noexcept {
    return answer == verdict::queue_full && options.when_full == overflow::caller_runs;
  }
  [[nodiscard]] bool waits(verdict answer) const noexcept {
    return answer == verdict::queue_full && options.when_full == overflow::wait;
  }
  [[nodiscard]] bool retries(verdict answer) const noexcept {
    return answer == verdict::queue_full && retry != nullptr;
  }
  /// Whether a full pool may lead to more than a refusal.
  [[nodiscard]] bool may_do_more_when_full() const noexcept {
    return options.when_full != overflow::reject || retry != nullptr;
  }
  /// Whether there may be reason to end the job early, or it has a name to be remembered.
  [[nodiscard]] bool need_control() const noexcept {
    return options.start_by || options.name != nullptr || options.when_full == overflow::wait ||
           group != nullptr || retry != nullptr;
  }
};

}  // namespace brigade::detail
