// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/waiting_line.hpp>

#include <utility>
#include <vector>

#include <brigade/detail/asymmetric_fence.hpp>
#include <brigade/detail/control_context.hpp>
#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

namespace asio = boost::asio;

waiting_line::waiting_line(std::uint64_t places)
    : most_(places), on_(asio::make_strand(control_context())) {}

std::uint64_t waiting_line::take_place(pool_core& core, unsigned lane) noexcept {
  auto taken = places_.load(std::memory_order_relaxed);
  do {
    if (taken >= most_) return 0;
  } while (!places_.compare_exchange_weak(taken, taken + 1, std::memory_order_seq_cst));
  auto const number = last_number_.fetch_add(1, std::memory_order_relaxed) + 1;
  core.lanes().reserve_all_for_waiting(true);
  core.lanes().reserve_for_waiting(lane, true);
  return number;
}

void waiting_line::join(std::shared_ptr<pool_core> const& core, std::uint64_t number,
                        std::unique_ptr<waiter> who) {
  try {
    asio::post(on_, [self = shared_from_this(), core, number, who = std::move(who)]() mutable {
      self->add(*core, number, std::move(who));
    });
  } catch (...) {
    if (places_.fetch_sub(1, std::memory_order_seq_cst) == 1) {
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
  places_.fetch_sub(1, std::memory_order_seq_cst);
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
    auto const claim = lanes.admit(lane, here->second->who());
    if (claim.answer == verdict::queue_full) {
      full_lanes |= std::uint64_t{1} << lane;
      pool_is_full = lanes.count() == 1 || lanes.lane_has_room(lane);
      continue;
    }
    auto const node = line_.extract(here);
    places_.fetch_sub(1, std::memory_order_seq_cst);
    if (claim.answer == verdict::admitted) {
      node.mapped()->admit(core, claim);
    } else {
      node.mapped()->refuse(core, core.refuse(claim.answer));
    }
  }
  mark_gates(core, pool_is_full);
}

// Each lane that somebody waits for is kept from newcomers; all of them where the pool itself is
// full, and where somebody is on the way here of whom it is not known for which lane.
void waiting_line::mark_gates(pool_core& core, bool pool_is_full) {
  auto& lanes = core.lanes();
  core.await_slots(!line_.empty());
  if (lanes.count() != 1) {
    std::vector<bool> wanted(lanes.count());
    for (auto const& [number, who] : line_) wanted[who->lane()] = true;
    for (unsigned lane = 0; lane != lanes.count(); ++lane) {
      lanes.reserve_for_waiting(lane, wanted[lane]);
    }
  }
  lanes.reserve_all_for_waiting(!line_.empty() && (pool_is_full || lanes.count() == 1));
  if (places_.load(std::memory_order_seq_cst) != line_.size()) lanes.reserve_all_for_waiting(true);
}

}  // namespace brigade::detail
