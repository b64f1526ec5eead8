// async_shutdown_all: a completion that waits for the end of a group of pools.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <brigade/detail/completion.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/shutdown_group.hpp>
#include <brigade/shutdown.hpp>

namespace brigade::detail {

/// Tells by way of the first pool, which is where a handler without an executor runs.
template <class Handler>
class waiting_for_all_pools final : public group_waiter {
 public:
  waiting_for_all_pools(std::shared_ptr<pool_core> core, Handler&& handler)
      : core_(std::move(core)), until_told_(*core_), to_(*core_, std::move(handler)) {}

  void tell(error_code result, std::vector<shutdown_report> reports) override {
    complete_later<Handler, error_code, std::vector<shutdown_report>>(*core_, std::move(to_),
                                                                      result, std::move(reports));
  }

 private:
  std::shared_ptr<pool_core> core_;
  pool_core::host_hold until_told_;
  addressed_handler<Handler> to_;
};

/// Preconditions: there is a pool.
template <class Handler>
void shut_down_all(std::vector<std::shared_ptr<pool_core>> pools, Handler&& handler,
                   shutdown_order order, shutdown_options const& times) {
  check(times);
  auto const first = pools.front();
  auto const group = std::make_shared<shutdown_group>(std::move(pools), order, times);
  if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
    slot.assign([weak = std::weak_ptr(group)](asio::cancellation_type type) {
      auto const alive = weak.lock();
      if (alive && type != asio::cancellation_type::none) alive->cancel();
    });
  }
  group->begin(std::make_unique<waiting_for_all_pools<Handler>>(first, std::move(handler)));
}

}  // namespace brigade::detail
