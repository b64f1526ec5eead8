// What stands in for the core: it says of admission, waking, ending and the line what
// pool_core.hpp, pool_core.cpp and pool_admission.cpp say, in the same order, and leaves out
// threads, timers, permits, several shutdowns and whoever watches. The queue, the crew, the ledger,
// the line, the turn and the jobs themselves are the library's.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>

#include <brigade/detail/atomic.hpp>
#include <brigade/detail/crew.hpp>
#include <brigade/detail/job_frame.hpp>
#include <brigade/detail/lane_set.hpp>
#include <brigade/detail/ledger.hpp>
#include <brigade/detail/permit_count.hpp>
#include <brigade/detail/submit_terms.hpp>
#include <brigade/detail/timing_recorder.hpp>
#include <brigade/detail/turn.hpp>
#include <brigade/detail/turn_memory.hpp>
#include <brigade/detail/waiting_line.hpp>
#include <brigade/detail/worker_activity.hpp>
#include <brigade/error.hpp>
#include <brigade/options.hpp>

#include "schedules/mutant.hpp"

namespace brigade::detail {

namespace asio = boost::asio;

/// Nobody traces.
struct job_tracer {
  static timing_recorder* times() noexcept { return nullptr; }
  void adapt(moving_average::reading) noexcept {}
  void look_for_tracers() noexcept {}
};

/// Whether a mutant answers no to `question` here.
inline bool denied(std::string_view question, std::source_location const& at) noexcept {
  return test::schedules::mistaken(test::schedules::mistake::left_out, at, question);
}

class pool_core : public std::enable_shared_from_this<pool_core> {
  using where = std::source_location;

 public:
  using turns = test::schedules::mailbox<posted_turn>;

  explicit pool_core(pool_options options);

  turns& executor() noexcept { return executor_; }
  control_strand::queue& strand() noexcept { return strand_; }

  // ── submitting ──

  admission_claim admit(unsigned lane, std::uint64_t wanted = 1);
  std::uint64_t admit_plainly() {
    auto const position = lanes_.admit_plainly();
    if (position < job_queue::full) on_admission(1);
    return position;
  }
  admission_claim admit_as(submitter who, unsigned lane) {
    auto const claim = lanes_.admit(lane, who);
    if (claim.count == 0 && lanes_.count() != 1) wake_if_needed();
    return claim;
  }
  void leave_empty(admission_claim const& claim, std::uint64_t index = 0) {
    lanes_[claim.lane].leave_empty(claim, index);
    wake_if_needed();
  }
  admission_claim admit(submit_terms const& terms) { return admit(terms.options.lane); }
  void publish(admission_claim const& claim, std::uint64_t index = 0) noexcept {
    lanes_[claim.lane].publish(claim, index);
  }
  void publish_plain(std::uint64_t position) noexcept { lanes_[0].publish_plain(position); }
  error_code refuse(verdict why) noexcept {
    return why == verdict::queue_full ? errc::queue_full : errc::closed;
  }
  void count_given_up(error_code const&) noexcept {}
  void count_caller_ran() noexcept {}

  struct watched_lanes : lane_set {
    using lane_set::lane_set;
    [[nodiscard]] bool ready(where at = where::current()) const noexcept {
      return !denied("ready", at) && lane_set::ready();
    }
  };
  watched_lanes& lanes() noexcept { return lanes_; }

  waiting_line& line() { return *line_; }
  void await_slots(bool yes, where at = where::current()) noexcept {
    if (denied("await_slots", at)) return;
    slots_awaited_.store(yes, std::memory_order_seq_cst);
  }
  atomic<bool> const& slots_awaited() const noexcept { return slots_awaited_; }
  void tell_line() noexcept { line_->notify(shared_from_this()); }
  permit_count& permits() noexcept { return permits_; }

  void wake_if_needed(where at = where::current()) noexcept {
    if (denied("wake_if_needed", at)) return;
    if (crew_.needs_wake()) wake();
  }

  // ── running ──

  crew& workers() noexcept { return crew_; }
  ledger& counts() noexcept { return ledger_; }
  lane_set::round& round_of(unsigned slot) noexcept { return rounds_[slot]; }
  static bool is_overdue(unsigned, inline_job const&) noexcept { return false; }
  worker_activity& activity_of(unsigned slot) noexcept { return activities_[slot]; }
  pool_options const& options() const noexcept { return options_; }
  job_tracer& tracer() noexcept { return tracer_; }
  [[nodiscard]] bool cancelling() const noexcept {
    return cancelling_.load(std::memory_order_relaxed);
  }
  void post_turn(unsigned slot, bool searching) noexcept;
  void defer_turn(unsigned slot) noexcept { post_turn(slot, false); }
  static bool thread_comes_back() noexcept { return false; }
  static std::chrono::nanoseconds linger_after_wake() noexcept { return {}; }
  static std::int64_t note_idle() noexcept { return 0; }
  void end_elsewhere(outcome how, unsigned lane, bool never_started);
  void check_drained() {
    if (lanes_.try_finish()) finish();
  }
  [[nodiscard]] bool is_closed(where at = where::current()) const noexcept {
    return !denied("is_closed", at) && (lanes_.gate().word() & closed_bit) != 0;
  }
  static void report_job_error(std::exception_ptr const&) noexcept {}

  // ── ending ──

  void close() noexcept;
  void stop();

  /// A host has gone; none of these has one.
  void host_gone() noexcept {}

  // ── by the scenarios ──

  std::function<void(std::uint64_t)> on_admission;
  std::function<void()> on_early_end;  // of a job that has not run
  std::function<void()> on_finish;

 private:
  void wake() noexcept;
  void sweep();
  void finish();

  pool_options options_;
  job_tracer tracer_;
  ledger ledger_;
  watched_lanes lanes_;
  std::vector<lane_set::round> rounds_;
  crew crew_;
  std::unique_ptr<turn_memory[]> turn_memories_;
  std::unique_ptr<worker_activity[]> activities_;
  permit_count permits_;
  atomic<bool> cancelling_{false};
  atomic<bool> slots_awaited_{false};
  turns executor_;
  control_strand::queue strand_;
  std::shared_ptr<waiting_line> line_;
};

/// Whether the running thread of the world runs a job; said by the scenarios.
bool runs_a_job();

}  // namespace brigade::detail
