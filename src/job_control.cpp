// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/job_control.hpp>

#include <brigade/detail/waiting_line.hpp>

namespace brigade::detail {

namespace asio = boost::asio;

namespace {

error_code reason_of(outcome how) noexcept {
  if (how == outcome::expired) return errc::expired;
  return asio::error::operation_aborted;
}

}  // namespace

void job_control::queue(pool_core& core, cancellable_job* job, admission_claim const& claim) {
  position_ = claim.position;
  auto const note = core.note_of(claim, name_);
  note_ = note;  // belongs to whoever gets the job, from the next line on
  queued_.store(job, std::memory_order_seq_cst);
  line_number_.store(0, std::memory_order_seq_cst);
  core.lanes()[claim.lane].open(claim).emplace<control_shell>(shared());
  core.publish(claim, note);
  core.wake_if_needed();
  if (auto const how = early_.load(std::memory_order_seq_cst); how != outcome::completed) {
    end_outside_of_line(core, how, early_type_.load(std::memory_order_relaxed));
    core.lanes()[claim.lane].bury(
        claim.position);  // who ended it may have come before the shell was there
  }
}

error_code job_control::wanted_end() const noexcept {
  auto const how = early_.load(std::memory_order_seq_cst);
  if (how != outcome::completed) return reason_of(how);
  return start_by_ && clock::now() >= *start_by_ ? error_code{errc::expired} : error_code{};
}

void job_control::end_early(outcome how, asio::cancellation_type type) {
  // A pool that is gone has ended all that was queued.
  auto const core = core_.lock();
  if (!core) return interrupt(type);
  pool_core::host_hold const until_told(*core);
  early_type_.store(type, std::memory_order_relaxed);
  early_.store(how, std::memory_order_seq_cst);
  if (auto const number = line_number_.load(std::memory_order_seq_cst); number != 0) {
    core->line().cancel(core, number, reason_of(how), [self = shared(), core, how, type] {
      self->end_outside_of_line(*core, how, type);
    });
  } else {
    end_outside_of_line(*core, how, type);
  }
}

void job_control::end_outside_of_line(pool_core& core, outcome how, asio::cancellation_type type) {
  if (auto* const job = claim()) {
    forget_deadline();
    job->discard({&core, lane_, how, reason_of(how), nullptr, note_});
    core.lanes()[lane_].bury(position_);
  } else if (how == outcome::cancelled) {
    interrupt(type);
  }
}

void job_control::hold_back(job_context& context) noexcept {
  auto& shell = shell_.mapped().job;
  shell.emplace<control_shell>(shared());
  shell.stamp.store(context.taken->stamp.load(std::memory_order_relaxed),
                    std::memory_order_relaxed);
  context.core.lanes()[lane_].hold(std::move(shell_), position_);
}

// While the pool cancels the shelf is left to those who end what is queued: each job that they end
// would otherwise call the next, and they would come to that one inside of this.
void job_control::call() noexcept {
  auto const core = core_.lock();
  if (!core || core->cancelling()) return;
  core->lanes()[lane_].call(position_);
  core->wake_if_needed();
}

// With the lane's shelf locked after stop() had gone through it, the pool is seen to be cancelling.
void control_shell::run(void* storage, job_context& context) {
  auto control = take(storage);
  auto const entry = control->enter_group(context);
  auto* const job = entry == group_state::entry::held_back ? nullptr : control->claim();
  bool const is_cancelled = entry == group_state::entry::cancelled;
  bool const starts = job != nullptr && !is_cancelled && control->in_time();
  if (!starts) context.activity->pass_over();
  if (entry == group_state::entry::held_back) return context.core.end_queued_if_cancelling();
  if (job == nullptr) return;
  context.note = control->note();  // with its name
  if (starts) {
    job->start(context, std::move(control));
  } else if (is_cancelled) {
    job->discard({&context.core, control->lane(), outcome::cancelled,
                  asio::error::operation_aborted, nullptr, context.note});
  } else {
    job->discard(
        {&context.core, control->lane(), outcome::expired, errc::expired, nullptr, context.note});
  }
}

}  // namespace brigade::detail
