// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/shutdown_group.hpp>

#include <chrono>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <brigade/detail/control_context.hpp>
#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

/// Waits for one pool, on that pool's strand, and tells the group, on the group's.
class shutdown_group::member_waiter final : public shutdown_waiter {
 public:
  member_waiter(std::shared_ptr<shutdown_group> group, std::size_t index)
      : group_(std::move(group)), index_(index) {}

  void tell(error_code, shutdown_report const& report) override {
    asio::post(group_->on_,
               [group = group_, index = index_, report] { group->ended(index, report); });
  }

 private:
  std::shared_ptr<shutdown_group> group_;
  std::size_t index_;
};

shutdown_group::shutdown_group(std::vector<std::shared_ptr<pool_core>> pools, shutdown_order order,
                               shutdown_options const& times)
    : on_(control_context().get_executor()),
      pools_(std::move(pools)),
      order_(order),
      times_(times),
      reports_(pools_.size()),
      has_ended_(pools_.size()) {}

void shutdown_group::begin(std::unique_ptr<group_waiter> waiter) {
  waiter_ = std::move(waiter);
  asio::post(on_, [self = shared_from_this()] { self->begin_now(); });
}

void shutdown_group::cancel() {
  asio::post(on_, [self = shared_from_this()] { self->tell(asio::error::operation_aborted); });
}

void shutdown_group::begin_now() {
  auto const lame_duck = at_most_ten_years(times_.lame_duck);
  auto const drain = at_most_ten_years(times_.drain);
  auto const drained_by = std::chrono::steady_clock::now() + lame_duck + drain;
  for (std::size_t i = 0; i != pools_.size(); ++i) {
    auto times = times_;
    if (order_ == shutdown_order::one_after_another && i != 0) {
      times.lame_duck = times.drain = lame_duck + drain;
    }
    auto const sequence = pools_[i]->shutdown();
    sequence->add(pools_[i], sequence->next_id(),
                  std::make_unique<member_waiter>(shared_from_this(), i));
    sequence->begin(pools_[i], times, 0, {this, drained_by});
  }
}

void shutdown_group::ended(std::size_t index, shutdown_report const& report) {
  reports_[index] = report;
  has_ended_[index] = 1;
  auto const before = turn_;
  while (turn_ != pools_.size() && has_ended_[turn_] != 0) ++turn_;
  if (turn_ == pools_.size()) return tell({});
  if (order_ != shutdown_order::one_after_another || turn_ == before) return;
  pools_[turn_]->shutdown()->end_lame_duck(pools_[turn_], this);
}

void shutdown_group::tell(error_code result) {
  if (auto const waiter = std::exchange(waiter_, nullptr)) waiter->tell(result, reports_);
}

}  // namespace brigade::detail
