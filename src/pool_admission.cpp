// Who gets a slot, and who is told that there is none.
// SPDX-License-Identifier: BSL-1.0
#include <stdexcept>

#include <fmt/format.h>

#include <boost/asio/error.hpp>

#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/probes.hpp>

#include "refusal_probe.hpp"

namespace brigade::detail {

// A running job may submit while the pool drains. And a lane may have been full of a position that
// was then withdrawn: nobody else would tell those who wait for it.
admission_claim pool_core::admit_again(unsigned lane, std::uint64_t wanted,
                                       admission_claim refused) {
  if (refused.answer == verdict::closed && job_frame::runs_job_of(*this)) {
    refused = lanes_.admit(lane, submitter::running_job, wanted);
  }
  if (lanes_.count() != 1) {
    wake_if_needed();  // as in admit_as()
    if (slots_awaited_.load(std::memory_order_seq_cst)) tell_line();
  }
  return refused;
}

admission_claim pool_core::admit_as(submitter who, unsigned lane, std::uint64_t wanted) {
  auto const claim = lanes_.admit(lane, who, wanted);
  // A position may have been withdrawn that jobs were published behind.
  if (claim.count == 0 && lanes_.count() != 1) wake_if_needed();
  return claim;
}

verdict pool_core::probe(submit_terms const& terms) const noexcept {
  if (terms.has_slot) return verdict::admitted;
  auto answer = lanes_.probe(terms.options.lane, submitter::outsider);
  if (answer == verdict::closed && job_frame::runs_job_of(*this)) {
    answer = lanes_.probe(terms.options.lane, submitter::running_job);
  }
  bool const may_do_more = terms.may_do_more_when_full();
  return answer == verdict::queue_full && may_do_more ? verdict::admitted : answer;
}

admission_claim pool_core::take_slot_of_oldest(unsigned lane) {
  host_hold const until_told(*this);
  admission_claim claim{verdict::queue_full, lane};
  job_ending shed{this, lane, outcome::shed, errc::shed, &claim};
  inline_job oldest;
  while (lanes_[lane].take_to_end(oldest, shed.note)) {
    if (oldest.discard(shed)) break;
  }
  if (claim.count == 0) wake_if_needed();  // as in admit_as(), but not inside the dropped job's end
  return claim;
}

job_note pool_core::note_of(admission_claim const& claim, char const* name) noexcept {
  auto const weight = tracer_.weight_of(claim.position);
  if (weight == 0) return {};
  return tracer_.admit(claim.lane, claim.position, weight, name);
}

void pool_core::publish_noted(admission_claim const& claim, std::uint64_t index,
                              unsigned weight) noexcept {
  auto const note = tracer_.admit(claim.lane, claim.position + index, weight, nullptr);
  lanes_[claim.lane].publish(claim, index, note);
}

void job_ending::count() const {
  if (note) core->tracer().end(note, how, std::nullopt);
  if (successor != nullptr) {
    try {
      *successor = core->lanes().admit(lane, submitter::slot_holder);
    } catch (...) {  // no memory: nobody succeeds it
    }
  }
  core->end_elsewhere(how, lane, true);
}

void pool_core::throw_no_such_lane(unsigned lane) const {
  throw std::out_of_range(fmt::format(
      "brigade::submit_options::lane: {}; the pool has {}, numbered from 0", lane, lanes_.count()));
}

waiting_line& pool_core::line() {
  std::call_once(line_made_, [this] {
    line_ = std::make_shared<waiting_line>(*options_.max_waiting, lanes_.count());
    line_if_made_.store(line_.get(), std::memory_order_release);
  });
  return *line_;
}

void pool_core::tell_line() noexcept {
  if (auto* const line = line_if_made_.load(std::memory_order_acquire)) {
    line->notify(shared_from_this());
  }
}

void job_context::start_specially(char const* name) noexcept {
  activity->show(name);
  auto const begins = activity->next_begins();
  activity->start();
  special_ = name != nullptr ? special_ | shows_name : special_ & ~shows_name;
  if (note) core.tracer().start(note, worker, begins);
  if ((special_ & shared_counts) != 0) {
    counts->add_start();
  } else {
    counts->start();
  }
}

void job_context::end_specially(outcome how) noexcept {
  if (note) activity->ended(core.tracer().end(note, how, worker));
  if ((special_ & shared_counts) != 0) {
    counts->add_end(how);
  } else {
    counts->end(how);
  }
}

void job_context::tell_of_free_slot() noexcept { core.tell_line(); }

std::shared_ptr<deadline_set> pool_core::deadlines() {
  std::call_once(deadlines_made_, [this] { deadlines_ = std::make_shared<deadline_set>(); });
  return deadlines_;
}

void pool_core::count_given_up(error_code const& why) noexcept {
  auto& count = why == errc::expired ? expired_in_line_ : cancelled_in_line_;
  count.fetch_add(1, std::memory_order_relaxed);
  probes::refused(options_.name.c_str(), why == errc::expired ? "expired" : "cancelled");
}

// Calls nothing, and so saves no registers: a refusal is answered in a few nanoseconds.
error_code pool_core::refuse(verdict why) noexcept {
  if (probes::refusals_traced()) [[unlikely]]
    return refuse_traced(why);
  return count_refusal(why);
}

error_code pool_core::refuse_traced(verdict why) noexcept {
  probes::refused(options_.name.c_str(), why == verdict::queue_full ? "queue_full" : "closed");
  return count_refusal(why);
}

}  // namespace brigade::detail
