// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/signal_watch.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/signal_dispositions.hpp>
#include <brigade/detail/thread_setup.hpp>

namespace brigade::detail {

void check_signals(signal_options const& options) {
  auto const& ending = options.signals;
  if (ending.empty()) {
    throw std::invalid_argument("brigade::signal_options::signals: empty; give at least one");
  }
  if (options.dump_on &&
      std::find(ending.begin(), ending.end(), *options.dump_on) != ending.end()) {
    throw std::invalid_argument(
        fmt::format("brigade::signal_options::dump_on: {} is one of the signals that end the pool; "
                    "give another",
                    *options.dump_on));
  }
}

signal_watch::signal_watch(std::shared_ptr<pool_core> const& core, signal_options const& options)
    : reaction_(core, options), set_(reaction_.sequence().executor()) {
  check_signals(options);
  for (auto const signal : options.signals) hold(signal, "signals");
  if (options.dump_on) hold(*options.dump_on, "dump_on");
}

signal_watch::~signal_watch() { release(); }

void signal_watch::hold(int signal, char const* option) {
  hold_disposition(signal);
  held_.push_back(signal);
  error_code failure;
  set_.add(signal, failure);
  if (!failure) return;
  release();
  throw boost::system::system_error(
      failure, fmt::format("brigade::signal_options::{}: cannot catch signal {}", option, signal));
}

void signal_watch::wait() {
  boost::asio::post(reaction_.sequence().executor(), [self = shared_from_this()] {
    // On the control thread, which may have been started by one that had them blocked. So it does
    // not matter what the program's own threads do with them.
    for (auto const signal : self->held_) heed_signal(signal);
    self->wait_for_next();
  });
}

void signal_watch::wait_for_next() {
  if (held_.empty()) return;  // released meanwhile
  set_.async_wait([self = shared_from_this()](error_code failure, int signal) {
    if (failure || self->held_.empty()) return;
    if (self->reaction_.caught(signal)) return self->wait_for_next();
    self->release();
    raise_by_default(signal);
  });
}

void signal_watch::release() noexcept {
  error_code ignored;
  set_.cancel(ignored);  // clear() leaves the wait, which holds this
  set_.clear(ignored);
  for (auto const signal : std::exchange(held_, {})) restore_disposition(signal);
}

}  // namespace brigade::detail
