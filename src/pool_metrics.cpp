// The snapshot of a pool's numbers.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <utility>

#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

// Each group of counts is read before the one that bounds it (ledger.hpp, invariant 2), and the
// position last. It may have grown past what was in flight when the outcomes were read; the bound
// says how far it had come by then at the most, and a position in between is one it really had.
// Each group of counts is read before the one that bounds it (ledger.hpp, invariant 2), and the
// position last. It may have grown past what was in flight when the outcomes were read; the bound
// says how far it had come by then at the most, and a position in between is one it really had.
lane_metrics pool_core::lane_now(unsigned lane, job_counts const& counts, std::uint64_t permits,
                                 std::uint64_t withdrawn) const {
  auto const& queue = lanes_[lane];
  auto const voided = counts[outcome::voided] + withdrawn;
  auto const finished = counts.finished() + withdrawn;
  auto const position = std::min(position_of(queue.gate().word()), finished + queue.capacity());
  auto const started = std::min(counts.started + voided, position);
  auto const not_started = position - started;

  lane_metrics now;
  now.completed = counts[outcome::completed];
  now.failed = counts[outcome::failed];
  now.cancelled = counts[outcome::cancelled];
  now.expired = counts[outcome::expired];
  now.shed = counts[outcome::shed];
  now.running_jobs = started - finished;
  now.queued_jobs = not_started - std::min(permits, not_started);
  now.capacity = queue.capacity();
  now.admitted = finished - voided + now.running_jobs + now.queued_jobs;
  return now;
}

// All lanes' ends are read before any lane's position. What the lanes have together may still be
// more than the pool ever had, for the positions were read one after the other: the youngest jobs
// are left out then, which had not come yet when the first was read.
std::vector<lane_metrics> pool_core::all_lanes_now() const {
  struct reading {
    std::uint64_t permits;
    std::uint64_t withdrawn;
    job_counts counts;
  };
  std::vector<reading> readings;
  for (unsigned lane = 0; lane != lanes_.count(); ++lane) {
    auto const permits = permits_.open(lane);
    auto const withdrawn = lanes_[lane].withdrawn();
    readings.push_back({permits, withdrawn, ledger_.read(lane)});
  }
  std::vector<lane_metrics> all;
  std::uint64_t in_flight = 0;
  for (unsigned lane = 0; lane != lanes_.count(); ++lane) {
    auto const& [permits, withdrawn, counts] = readings[lane];
    all.push_back(lane_now(lane, counts, permits, withdrawn));
    in_flight += all.back().queued_jobs + all.back().running_jobs;
  }
  auto excess = in_flight - std::min<std::uint64_t>(in_flight, options_.capacity);
  auto const leave_out = [&excess](lane_metrics& lane, std::uint64_t& jobs) {
    auto const some = std::min(excess, jobs);
    jobs -= some;
    lane.admitted -= some;
    excess -= some;
  };
  for (auto& lane : all) leave_out(lane, lane.queued_jobs);
  for (auto& lane : all) leave_out(lane, lane.running_jobs);
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
  if (auto const* const times = tracer_.times()) times->read_into(now);
  now.state = state();
  now.name = options_.name;
  return now;
}

}  // namespace brigade::detail
