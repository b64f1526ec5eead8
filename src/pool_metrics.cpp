// The snapshot of a pool's numbers.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <utility>

#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/steady_clock.hpp>

namespace brigade::detail {

// What has ended is read first, then what was started (ledger.hpp, invariant 2), then what was
// admitted, so none exceeds the next. The last may have grown past what was in flight when the
// first was read; the bound says how far it had come by then at the most.
//
// Of the positions given out those are no jobs' that are permits', or were. Some of them may be
// read twice, on their way from the one to the other, so what is left may be too few jobs, never
// too many: no snapshot says less than an earlier one has, and at rest the number is exact.
lane_metrics pool_core::lane_now(unsigned lane, job_counts const& counts) const {
  auto const finished = counts.finished() - counts[outcome::voided];
  auto const given_out = lanes_.given_out(lane);
  auto const permits = permits_.at_most(lane);
  auto const no_jobs = std::min(permits + ledger_.voided(lane), given_out);
  auto const told = told_admitted_[lane].load(std::memory_order_acquire);

  lane_metrics now;
  now.completed = counts[outcome::completed];
  now.failed = counts[outcome::failed];
  now.cancelled = counts[outcome::cancelled];
  now.expired = counts[outcome::expired];
  now.shed = counts[outcome::shed];
  now.capacity = lanes_[lane].capacity();
  now.admitted = std::min(std::max({given_out - no_jobs, counts.started, told}),
                          finished + lanes_[lane].capacity());
  auto const started = std::min(counts.started, now.admitted);
  now.running_jobs = started - finished;
  now.queued_jobs = now.admitted - started;
  return now;
}

// All lanes' ends are read before any lane's admissions. What the lanes have together may still be
// more than the pool ever had, for the admissions were read one after the other: the youngest jobs
// are left out then, which had not come yet when the first was read; not those that an earlier
// snapshot has told of.
by_lane<lane_metrics> pool_core::all_lanes_now() const {
  by_lane<job_counts> counts;
  for (unsigned lane = 0; lane != lanes_.count(); ++lane) counts.push_back(ledger_.read(lane));
  by_lane<std::uint64_t> told;
  by_lane<lane_metrics> all;
  std::uint64_t in_flight = 0;
  for (unsigned lane = 0; lane != lanes_.count(); ++lane) {
    told.push_back(told_admitted_[lane].load(std::memory_order_acquire));
    all.push_back(lane_now(lane, counts[lane]));
    in_flight += all.back().queued_jobs + all.back().running_jobs;
  }
  auto excess = in_flight - std::min<std::uint64_t>(in_flight, options_.capacity);
  auto const leave_out = [&excess](lane_metrics& lane, std::uint64_t& jobs, std::uint64_t least) {
    auto const some = std::min({excess, jobs, lane.admitted - std::min(least, lane.admitted)});
    jobs -= some;
    lane.admitted -= some;
    excess -= some;
  };
  for (unsigned lane = 0; lane != all.size(); ++lane) {
    leave_out(all[lane], all[lane].queued_jobs, told[lane]);
    leave_out(all[lane], all[lane].running_jobs, told[lane]);
  }
  for (auto& lane : all) {
    leave_out(lane, lane.queued_jobs, 0);
    leave_out(lane, lane.running_jobs, 0);
  }
  for (unsigned lane = 0; lane != all.size(); ++lane) {
    auto seen = told_admitted_[lane].load(std::memory_order_relaxed);
    while (seen < all[lane].admitted && !told_admitted_[lane].compare_exchange_weak(
                                            seen, all[lane].admitted, std::memory_order_acq_rel)) {
    }
  }
  return all;
}

pool_metrics pool_core::metrics() const {
  pool_metrics now;
  auto lanes = all_lanes_now();
  for (auto const& lane : lanes) {
    now.admitted += lane.admitted;
    now.completed += lane.completed;
    now.failed += lane.failed;
    now.cancelled += lane.cancelled;
    now.expired += lane.expired;
    now.shed += lane.shed;
    now.running_jobs += lane.running_jobs;
    now.queued_jobs += lane.queued_jobs;
  }
  for (unsigned lane = 0; lane != options_.lanes.size(); ++lane) {
    lanes[lane].name = options_.lanes[lane].name;
    if (lanes[lane].queued_jobs != 0) lanes[lane].oldest_queued_age = lanes_[lane].oldest_age();
    now.lanes.push_back(std::move(lanes[lane]));
  }
  for (unsigned lane = 0; lane != lanes_.count(); ++lane) now.permits += permits_.open(lane);
  now.active_workers = crew_.busy();
  now.workers = options_.threads;
  now.capacity = options_.capacity;
  if (auto* const line = line_if_made_.load(std::memory_order_acquire)) {
    now.waiting = line->length();
  }
  now.rejected.queue_full = refusals_.of(verdict::queue_full);
  now.rejected.closed = refusals_.of(verdict::closed);
  now.rejected.cancelled = cancelled_in_line_.load(std::memory_order_relaxed);
  now.rejected.expired = expired_in_line_.load(std::memory_order_relaxed);
  now.caller_ran = caller_ran_.load(std::memory_order_relaxed);
  now.handler_errors = handler_errors_.load(std::memory_order_relaxed);
  if (now.queued_jobs != 0) now.oldest_queued_age = lanes_.oldest_age();
  now.stuck = stuck();
  now.stuck_jobs = now.stuck.size();
  now.longest_running = longest_running();
  if (auto const* const times = tracer_.times()) times->read_into(now);
  now.state = state();
  now.time_in = marks_.read(steady_nanoseconds());
  now.name = options_.name;
  return now;
}

std::chrono::nanoseconds pool_core::estimated_wait() const {
  std::uint64_t queued = 0;
  for (auto const& lane : all_lanes_now()) queued += lane.queued_jobs;
  return average_run_time() * static_cast<std::int64_t>(queued) / options_.threads;
}

}  // namespace brigade::detail
