// Waiting for a group: told once no job of it is left.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <brigade/detail/completion.hpp>
#include <brigade/detail/group_state.hpp>
#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

template <class Handler>
class waiting_for_group final : public group_watcher {
 public:
  waiting_for_group(std::shared_ptr<pool_core> core, Handler&& handler)
      : core_(std::move(core)), until_told_(*core_), to_(*core_, std::move(handler)) {}

  void tell(std::exception_ptr const& result) noexcept override {
    try {
      complete_later<Handler, std::exception_ptr>(*core_, std::move(to_), result);
    } catch (...) {
      core_->report_handler_error(std::current_exception());
    }
  }

 private:
  std::shared_ptr<pool_core> core_;
  pool_core::host_hold until_told_;
  addressed_handler<Handler> to_;
};

template <class Handler>
void wait_for_group(std::shared_ptr<pool_core> const& core,
                    std::shared_ptr<group_state> const& group, Handler&& handler) {
  auto const number = group->next_watcher();
  if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
    // A slot that is never cleared must not keep the group.
    slot.assign([weak = std::weak_ptr(group), number](asio::cancellation_type type) {
      if (type == asio::cancellation_type::none) return;
      if (auto const waited_for = weak.lock()) waited_for->forget(number);
    });
  }
  group->watch(number, std::make_unique<waiting_for_group<Handler>>(core, std::move(handler)));
}

}  // namespace brigade::detail
