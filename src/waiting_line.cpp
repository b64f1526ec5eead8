// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/waiting_line.hpp>

#include <utility>

#include <brigade/detail/asymmetric_fence.hpp>
#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

namespace asio = boost::asio;

waiting_line::waiting_line(std::uint64_t places, unsigned lanes)
    : most_(places), on_(control_context().get_executor()), places_in_lane_(lanes) {}

std::uint64_t waiting_line::take_place(pool_core& core, unsigned lane) noexcept {
  auto taken = places_.load(std::memory_order_relaxed);
  do {
    if (taken >= most_) return 0;
  } while (!places_.compare_exchange_weak(taken, taken + 1, std::memory_order_seq_cst));
  auto const number = last_number_.fetch_add(1, std::memory_order_relaxed) + 1;
  places_in_lane_[lane].fetch_add(1, std::memory_order_seq_cst);
  core.lanes().reserve_lane_for_waiting(lane, true);
  if (core.lanes().is_full()) core.lanes().reserve_all_for_waiting(true);
  return number;
}

void waiting_line::join(std::shared_ptr<pool_core> const& core, std::uint64_t number,
                        std::unique_ptr<waiter> who) {
  auto const lane = who->lane();
  try {
    asio::post(on_, [self = shared_from_this(), core, number, who = std::move(who)]() mutable {
      self->add(*core, number, std::move(who));
    });
  } catch (...) {
    give_place_back(lane);
    if (places_.load(std::memory_order_seq_cst) == 0) {  // then nobody else will unmark the gates
      core->lanes().reserve_lane_for_waiting(lane, false);
      core->lanes().reserve_all_for_waiting(false);
    }
    throw;
  }
}

void waiting_line::add(pool_core& core, std::uint64_t number, std::unique_ptr<waiter> who) {
  auto const why = who->given_up();
  line_.emplace(number, std::move(who));
  if (why) {
    send_away(core, number, why);
    return;
  }
  core.await_slots(true);
  heavy_fence();
  serve(core);
}

void waiting_line::notify(std::shared_ptr<pool_core> core) noexcept {
  if (notified_.exchange(true, std::memory_order_seq_cst)) return;
  try {
    asio::post(on_, [self = shared_from_this(), core = std::move(core)] { self->serve(*core); });
  } catch (...) {
    notified_.store(false, std::memory_order_seq_cst);  // no memory: the next end tries again
  }
}

bool waiting_line::send_away(pool_core& core, std::uint64_t number, error_code const& why) {
  auto const node = line_.extract(number);
  if (node.empty()) return false;
  give_place_back(node.mapped()->lane());
  core.count_given_up(why);
  node.mapped()->refuse(core, why);
  serve(core);
  return true;
}

void waiting_line::serve(pool_core& core) {
  notified_.exchange(false, std::memory_order_seq_cst);
  auto& lanes = core.lanes();
  std::uint64_t full_lanes = 0;  // a bit each
  bool pool_is_full = false;
  for (auto next = line_.begin(); next != line_.end() && !pool_is_full;) {
    auto const here = next++;
    auto const lane = here->second->lane();
    if ((full_lanes >> lane & 1) != 0) continue;
    if (auto const why = here->second->given_up()) {
      auto const node = line_.extract(here);
      give_place_back(lane);
      core.count_given_up(why);
      node.mapped()->refuse(core, why);
      continue;
    }
    permit_count::unsettled const moving(core.permits(), lane);  // it may be a slot alone
    auto const claim = core.admit_as(here->second->who(), lane);
    if (claim.answer == verdict::queue_full) {
      full_lanes |= std::uint64_t{1} << lane;
      pool_is_full = lanes.is_full();
      continue;
    }
    auto const node = line_.extract(here);
    give_place_back(lane);
    if (claim.answer == verdict::admitted) {
      node.mapped()->admit(core, claim);
    } else {
      node.mapped()->refuse(core, core.refuse(claim.answer));
    }
  }
  mark_gates(core, pool_is_full);
}

void waiting_line::give_place_back(unsigned lane) noexcept {
  places_in_lane_[lane].fetch_sub(1, std::memory_order_seq_cst);
  places_.fetch_sub(1, std::memory_order_seq_cst);
}

void waiting_line::mark_gates(pool_core& core, bool pool_is_full) {
  auto& lanes = core.lanes();
  core.await_slots(!line_.empty());
  for (unsigned lane = 0; lane != lanes.count(); ++lane) {
    auto const is_wanted = [&] {
      return places_in_lane_[lane].load(std::memory_order_seq_cst) != 0;
    };
    lanes.reserve_lane_for_waiting(lane, is_wanted());
    if (is_wanted()) lanes.reserve_lane_for_waiting(lane, true);
  }
  if (lanes.count() != 1) lanes.reserve_all_for_waiting(!line_.empty() && pool_is_full);
}

}  // namespace brigade::detail
