// A slot first, the job later: async_reserve, and a thread that blocks until there is room.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>

#include <brigade/detail/boxed.hpp>
#include <brigade/detail/completion.hpp>
#include <brigade/detail/held_slot.hpp>
#include <brigade/detail/job_control.hpp>
#include <brigade/detail/waiting_line.hpp>

namespace brigade::detail {

/// Somebody in line for a slot alone. `Grant` is called once, with an error or a slot, and must
/// call nothing of the user's inside.
template <class Grant>
class waiting_for_slot final : public waiter {
 public:
  waiting_for_slot(pool_core& core, std::shared_ptr<job_control> control, Grant&& grant)
      : waiter(control->lane(),
               job_frame::runs_job_of(core) ? submitter::waiting_job : submitter::waiting),
        until_told_(core),
        control_(std::move(control)),
        grant_(std::move(grant)) {}

  void admit(pool_core& core, admission_claim const& claim) override {
    control_->forget_deadline();
    held_slot slot(core.shared_from_this(), claim);
    if (slot.core() == nullptr) return refuse(core, core.refuse(verdict::closed));
    grant_(core, error_code{}, std::move(slot));
  }
  void refuse(pool_core& core, error_code const& why) override {
    control_->forget_deadline();
    grant_(core, why, held_slot{});
  }
  [[nodiscard]] error_code given_up() const noexcept override { return control_->wanted_end(); }

  Grant& grant() noexcept { return grant_; }

 private:
  pool_core::host_hold until_told_;
  std::shared_ptr<job_control> control_;
  Grant grant_;
};

/// Grants a slot now, or lets `grant` stand in line for one. `connect(control)` connects whatever
/// may end the wait.
template <class Grant, class Connect>
void reserve(pool_core& core, submit_options const& options, Grant&& grant,
             Connect const& connect) {
  submit_terms terms{options};
  terms.options.when_full = overflow::reject;
  permit_count::unsettled const moving(core.permits(), options.lane);
  auto claim = core.admit(terms);
  if (claim.answer == verdict::admitted) {
    held_slot slot(core.shared_from_this(), claim);
    if (slot.core() != nullptr) return grant(core, error_code{}, std::move(slot));
    claim.answer = verdict::closed;
  }
  if (claim.answer == verdict::closed) return grant(core, core.refuse(claim.answer), held_slot{});
  auto const control = std::make_shared<job_control>(core, options);
  connect(control);
  control->watch_deadline(core);
  auto entry = std::make_unique<waiting_for_slot<Grant>>(core, control, std::move(grant));
  auto const number = core.line().take_place(core, options.lane);
  if (number == 0) return entry->refuse(core, core.refuse(verdict::queue_full));
  control->wait_in_line(number);
  core.line().join(core.shared_from_this(), number, std::move(entry));
}

/// Posts the completion of async_reserve.
template <class Permit, class Handler>
struct grant_to_handler {
  addressed_handler<Handler> to;
  void operator()(pool_core& core, error_code const& result, held_slot&& slot) {
    complete_later<Handler, error_code, Permit>(core, std::move(to), result,
                                                Permit(std::move(slot)));
  }
};

template <class Permit, class Handler>
void reserve_later(pool_core& core, Handler&& handler, submit_options const& options) {
  auto const slot = asio::get_associated_cancellation_slot(handler);
  reserve(core, options,
          grant_to_handler<Permit, Handler>{addressed_handler<Handler>(core, std::move(handler))},
          [&slot](std::shared_ptr<job_control> const& control) {
            auto to = slot;
            if (to.is_connected()) to.template emplace<cancel_by_slot>(cancel_by_slot{control});
          });
}

}  // namespace brigade::detail
