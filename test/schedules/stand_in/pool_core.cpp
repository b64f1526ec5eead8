// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/pool_core.hpp>

#include <algorithm>

#include <boost/asio/error.hpp>

#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/probes.hpp>
#include <brigade/detail/thread_setup.hpp>

namespace brigade::detail {

using std::source_location;

pool_core::pool_core(pool_options options)
    : options_(std::move(options)),
      ledger_(options_.threads, std::max(1U, static_cast<unsigned>(options_.lanes.size()))),
      lanes_(options_, ledger_),
      crew_(options_.threads),
      turn_memories_(std::make_unique<turn_memory[]>(options_.threads)),
      activities_(std::make_unique<worker_activity[]>(options_.threads)) {
  if (lanes_.count() != 1) rounds_.assign(options_.threads, lanes_.begin_round());
  control_context().strand = &strand_;
  line_ = std::make_shared<waiting_line>(*options_.max_waiting, lanes_.count());
}

admission_claim pool_core::admit(unsigned lane, std::uint64_t wanted) {
  auto claim = lanes_.admit(lane, submitter::outsider, wanted);
  if (claim.answer == verdict::closed && runs_a_job()) {
    claim = lanes_.admit(lane, submitter::running_job, wanted);
  }
  on_admission(claim.count);
  if (claim.answer != verdict::admitted && lanes_.count() != 1) {
    wake_if_needed();
    if (slots_awaited_.load(std::memory_order_seq_cst)) tell_line();
  }
  return claim;
}

void pool_core::wake() noexcept {
  if (cancelling()) sweep();
  if (!lanes_.ready()) return;
  unsigned slot = 0;
  if (crew_.claim_wake(slot)) post_turn(slot, true);
}

void pool_core::post_turn(unsigned slot, bool searching) noexcept {
  executor_.give(posted_turn{*this, nullptr, turn_memories_[slot], slot, searching});
}

void pool_core::end_elsewhere(outcome how, unsigned lane, bool never_started) {
  auto& counts = ledger_.elsewhere(lane);
  if (never_started) counts.add_start();
  counts.add_end(how);
  light_fence();
  if (slots_awaited_.load(std::memory_order_relaxed)) tell_line();
  check_drained();
}

void pool_core::close() noexcept {
  lanes_.gate().set(closed_bit);
  if (!denied("synchronize", source_location::current())) crew_.synchronize();
  tell_line();
  check_drained();
}

void pool_core::stop() {
  lanes_.gate().set(closed_bit | cancelling_bit);
  cancelling_.store(true, std::memory_order_seq_cst);
  if (!denied("raise_alarm", source_location::current())) crew_.raise_alarm();
  tell_line();
  sweep();
  check_drained();
}

void pool_core::sweep() {
  inline_job job;
  for (unsigned lane = 0; lane != lanes_.count(); ++lane) {
    job_ending cancelled{this, lane, outcome::cancelled, boost::asio::error::operation_aborted};
    while (lanes_[lane].take_to_end(job, cancelled.note)) job.discard(cancelled);
  }
}

void pool_core::finish() {
  tell_line();
  on_finish();
}

// ── of other source files, for a pool without notes ──

void job_ending::count() const {
  core->on_early_end();
  core->end_elsewhere(how, lane, true);
}
void job_context::start_specially(char const* name) noexcept {
  activity->show(name);
  activity->start();
  counts->start();
}
void job_context::end_specially(outcome how) noexcept { counts->end(how); }
void job_context::tell_of_free_slot() noexcept { core.tell_line(); }

std::uint64_t this_thread_number() noexcept { return 1; }

namespace probes {

void worker_sleep(char const*, unsigned) noexcept {}
void worker_wake(char const*, unsigned) noexcept {}

}  // namespace probes

}  // namespace brigade::detail
