// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/signal_watch.hpp>

#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/signal_dispositions.hpp>
#include <brigade/detail/thread_setup.hpp>

namespace brigade::detail {

signal_watch::signal_watch(std::shared_ptr<pool_core> const& core, shutdown_options const& times,
                           std::vector<int> const& signals)
    : core_(core), sequence_(core->shutdown()), times_(times), set_(sequence_->executor()) {
  if (signals.empty()) {
    throw std::invalid_argument("brigade::signal_options::signals: empty; give at least one");
  }
  for (auto const signal : signals) {
    hold_disposition(signal);
    held_.push_back(signal);
    error_code failure;
    set_.add(signal, failure);
    if (failure) {
      release();
      throw boost::system::system_error(
          failure, fmt::format("brigade::signal_options::signals: cannot catch signal {}", signal));
    }
  }
}

signal_watch::~signal_watch() { release(); }

void signal_watch::wait() {
  boost::asio::post(sequence_->executor(), [self = shared_from_this()] {
    // On the control thread, which may have been started by one that had them blocked. So it does
    // not matter what the program's own threads do with them.
    for (auto const signal : self->held_) heed_signal(signal);
    self->wait_for_next();
  });
}

void signal_watch::wait_for_next() {
  if (held_.empty()) return;  // released meanwhile
  set_.async_wait([self = shared_from_this()](error_code failure, int signal) {
    if (!failure) self->caught(signal);
  });
}

void signal_watch::caught(int signal) {
  auto const core = core_.lock();
  if (held_.empty() || !core) return;
  ++seen_;
  if (seen_ == 1) sequence_->begin(core, times_, signal);
  if (seen_ == 2) sequence_->hurry(core);
  if (seen_ == 3) {
    release();
    raise_by_default(signal);
    return;
  }
  wait_for_next();
}

void signal_watch::release() noexcept {
  error_code ignored;
  set_.cancel(ignored);  // clear() leaves the wait, which holds this
  set_.clear(ignored);
  for (auto const signal : std::exchange(held_, {})) restore_disposition(signal);
}

}  // namespace brigade::detail
