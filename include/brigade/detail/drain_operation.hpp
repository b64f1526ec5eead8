// async_drain: closes the pool and waits, on the control context's strand, until nothing is in
// flight.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <brigade/detail/completion.hpp>
#include <brigade/detail/drain_watch.hpp>
#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

template <class Handler>
class waiting_for_drain final : public drain_watcher {
 public:
  waiting_for_drain(std::shared_ptr<pool_core> core, Handler&& handler)
      : core_(std::move(core)), until_told_(*core_), to_(*core_, std::move(handler)) {}

  void tell(error_code result) override {
    complete_later<Handler, error_code>(*core_, std::move(to_), result);
  }

 private:
  std::shared_ptr<pool_core> core_;
  pool_core::host_hold until_told_;
  addressed_handler<Handler> to_;
};

template <class Handler>
void drain(pool_core& core, Handler&& handler) {
  auto const keep = core.shared_from_this();  // the handler may destroy the pool meanwhile
  auto const list = core.watch().watch();
  auto const id = list->next_id();
  if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
    slot.assign([list, id](asio::cancellation_type type) {
      if (type != asio::cancellation_type::none) list->cancel(id);
    });
  }
  list->add(id, std::make_unique<waiting_for_drain<Handler>>(core.shared_from_this(),
                                                             std::move(handler)));
  core.close();
  if (core.drained()) list->drained();
}

}  // namespace brigade::detail
