// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/lane_set.hpp>

#include <algorithm>

namespace brigade::detail {

namespace {

// A lane's gate knows nothing of the pool's state, but of those who wait for this lane.
constexpr submitter in_lane(submitter who) noexcept {
  return who == submitter::outsider ? submitter::running_job : who;
}

}  // namespace

lane_set::lane_set(pool_options const& options, ledger const& counts)
    : counts_(counts),
      capacity_(options.capacity),
      first_(options.lanes.empty() ? options.capacity : options.lanes[0].capacity, counts, 0,
             options.shedding.has_value()) {
  for (unsigned lane = 1; lane < options.lanes.size(); ++lane) {
    lower_.push_back(std::make_unique<job_queue>(options.lanes[lane].capacity, counts, lane,
                                                 options.shedding.has_value()));
  }
  if (lower_.empty()) return;
  joint_ = std::make_unique<admission_gate>();
  for (auto const& lane : options.lanes) full_round_.left_.push_back(lane.weight);
}

admission_claim lane_set::admit_jointly(unsigned lane, submitter who, std::uint64_t wanted) {
  auto& queue = operator[](lane);
  // First a look: a refusal shall not disturb others if it can be helped.
  if (auto const answer = probe_jointly(lane, who); answer != verdict::admitted) {
    return {answer, lane};
  }
  auto claim = queue.admit(in_lane(who), wanted);
  if (claim.answer != verdict::admitted) return claim;
  auto answer = verdict::queue_full;
  auto const given = give_out_jointly(who, claim.count, answer);
  queue.confirm(given);
  while (claim.count != given) queue.withdraw(claim, --claim.count);
  claim.answer = answer;
  return claim;
}

verdict lane_set::probe_jointly(unsigned lane, submitter who) const noexcept {
  auto const word = joint_->look();
  if (!is_open(word, who)) return why_refused(word, who);
  if (who == submitter::slot_holder) return verdict::admitted;
  if (room_at(position_of(word), finished(), capacity_) == 0) return verdict::queue_full;
  return operator[](lane).probe(in_lane(who));
}

std::uint64_t lane_set::give_out_jointly(submitter who, std::uint64_t wanted,
                                         verdict& answer) noexcept {
  auto word = joint_->look();
  for (;;) {
    answer = why_refused(word, who);
    if (!is_open(word, who)) return 0;
    auto const position = position_of(word);
    auto count = wanted;
    if (who != submitter::slot_holder) {
      auto limit = joint_->limit();
      if (position >= limit) {
        limit = finished() + capacity_;  // not what another thread, which read less, may set now
        joint_->set_limit(limit);
      }
      count = position < limit ? std::min(wanted, limit - position) : 0;
      answer = verdict::queue_full;
      if (count == 0) return 0;
    }
    answer = verdict::admitted;
    if (joint_->give_out(word, count)) return count;
  }
}

bool lane_set::take_in_round(round& where, inline_job& out, job_note& note,
                             unsigned& lane) noexcept {
  for (int lap = 0; lap != 2; ++lap) {
    for (unsigned l = 0; l != count(); ++l) {
      if (where.left_[l] == 0) continue;
      auto& queue = operator[](l);
      queue.clear_front();  // what ended in the queue is no part of what the lane is served
      if (!queue.take(out, note)) continue;
      --where.left_[l];
      lane = l;
      return true;
    }
    std::copy(full_round_.left_.begin(), full_round_.left_.end(), where.left_.begin());
  }
  return false;
}

std::chrono::milliseconds lane_set::oldest_age() const {
  auto oldest = first_.oldest_age();
  for (auto const& lane : lower_) oldest = std::max(oldest, lane->oldest_age());
  return oldest;
}

}  // namespace brigade::detail
