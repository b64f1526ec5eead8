// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/host_signals.hpp>

#include <stdexcept>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/signal_dispositions.hpp>

namespace brigade::detail {

class host_signals::waiter final : public shutdown_waiter {
 public:
  waiter(std::shared_ptr<host_signals> signals, std::unique_ptr<shutdown_waiter> other)
      : signals_(std::move(signals)), other_(std::move(other)) {}

  void tell(error_code result, shutdown_report const& report) override {
    auto const on = signals_->on_;
    auto last = [signals = std::move(signals_), other = std::move(other_), result, report] {
      signals->release();
      other->tell(result, report);
    };
    asio::post(on, std::move(last));
  }

 private:
  std::shared_ptr<host_signals> signals_;
  std::unique_ptr<shutdown_waiter> other_;
};

host_signals::host_signals(std::shared_ptr<pool_core> const& core, signal_options const& options,
                           asio::signal_set& set)
    : reaction_(core, options),
      on_(set.get_executor()),
      work_(asio::prefer(on_, asio::execution::outstanding_work.tracked)),
      set_(&set) {
  if (core->owns_threads() && core->is_own_context(on_.context())) {
    throw std::invalid_argument(
        "brigade::async_run_until_signal: the signal_set is on the pool's own executor, where it "
        "would wait behind the jobs; give one on a context of its own");
  }
}

std::unique_ptr<shutdown_waiter> host_signals::before(std::unique_ptr<shutdown_waiter> other) {
  return std::make_unique<waiter>(shared_from_this(), std::move(other));
}

void host_signals::wait(std::uint64_t id) {
  asio::post(on_, [self = shared_from_this(), id] {
    self->id_ = id;
    self->wait_for_next();
  });
}

void host_signals::wait_for_next() {
  if (set_ == nullptr) return;  // told meanwhile
  waiting_ = true;
  auto const then = [self = shared_from_this()](error_code failure, int signal) {
    self->waiting_ = false;
    if (self->set_ == nullptr) return;
    if (failure) return self->reaction_.sequence().cancel(self->id_);
    if (!self->reaction_.caught(signal)) raise_by_default(signal);
    self->wait_for_next();
  };
  set_->async_wait(asio::bind_cancellation_slot(end_of_wait_.slot(), then));
}

// The wait may have ended, and the set with it: then there is nothing to cancel.
void host_signals::release() {
  set_ = nullptr;
  if (waiting_) end_of_wait_.emit(asio::cancellation_type::terminal);
  work_.reset();
}

}  // namespace brigade::detail
