// async_shutdown and async_run_until_signal: completions that wait for the end of the shutdown
// sequence.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <brigade/detail/completion.hpp>
#include <brigade/detail/host_signals.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/shutdown_sequence.hpp>
#include <brigade/detail/signal_watch.hpp>
#include <brigade/shutdown.hpp>

namespace brigade::detail {

template <class Handler>
class waiting_for_shutdown final : public shutdown_waiter {
 public:
  waiting_for_shutdown(std::shared_ptr<pool_core> core, Handler&& handler,
                       std::shared_ptr<signal_watch> signals)
      : core_(std::move(core)),
        until_told_(*core_),
        signals_(std::move(signals)),
        to_(*core_, std::move(handler)) {}

  void tell(error_code result, shutdown_report const& report) override {
    if (signals_) signals_->release();
    complete_later<Handler, error_code, shutdown_report>(*core_, std::move(to_), result, report);
  }

 private:
  std::shared_ptr<pool_core> core_;
  pool_core::host_hold until_told_;
  std::shared_ptr<signal_watch> signals_;
  addressed_handler<Handler> to_;
};

/// Adds a waiter for the end of the shutdown, as `wrap` makes it out of the plain one. Its number.
template <class Handler, class Wrap>
std::uint64_t wait_for_shutdown(std::shared_ptr<pool_core> const& core, Handler&& handler,
                                std::shared_ptr<signal_watch> signals,
                                shutdown_sequence::phase_hook hook, Wrap wrap) {
  auto const sequence = core->shutdown();
  auto const id = sequence->next_id();
  if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
    slot.assign([sequence, id](asio::cancellation_type type) {
      if (type != asio::cancellation_type::none) sequence->cancel(id);
    });
  }
  sequence->add(core, id,
                wrap(std::make_unique<waiting_for_shutdown<Handler>>(core, std::move(handler),
                                                                     std::move(signals))),
                std::move(hook));
  return id;
}

inline constexpr auto unwrapped = [](auto waiter) { return waiter; };

template <class Handler>
void shut_down(pool_core& pool, Handler&& handler, shutdown_options const& times) {
  check(times);
  auto const core = pool.shared_from_this();  // the handler may destroy the pool meanwhile
  wait_for_shutdown(core, std::move(handler), nullptr, {}, unwrapped);
  core->shutdown()->begin(core, times);
}

template <class Handler>
void run_until_signal(pool_core& pool, Handler&& handler, signal_options&& options) {
  check({options.lame_duck, options.drain, options.cancel});
  auto const core = pool.shared_from_this();
  auto const signals = std::make_shared<signal_watch>(core, options);
  wait_for_shutdown(core, std::move(handler), signals, std::move(options.on_phase), unwrapped);
  signals->wait();
}

template <class Handler>
void run_until_signal(pool_core& pool, Handler&& handler, signal_options&& options,
                      asio::signal_set& set) {
  check({options.lame_duck, options.drain, options.cancel});
  auto const core = pool.shared_from_this();
  auto const signals = std::make_shared<host_signals>(core, options, set);
  auto const id = wait_for_shutdown(core, std::move(handler), nullptr, std::move(options.on_phase),
                                    [&signals](std::unique_ptr<shutdown_waiter> told) {
                                      return signals->before(std::move(told));
                                    });
  signals->wait(id);
}

}  // namespace brigade::detail
