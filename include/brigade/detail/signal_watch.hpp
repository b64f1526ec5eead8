// Catches the signals that end a pool, by a signal_set of the library's own.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include <brigade/detail/signal_reaction.hpp>
#include <brigade/shutdown.hpp>

namespace brigade::detail {

class pool_core;

/// Lives on the strand of the pool's shutdown sequence, whose waiter owns it.
class signal_watch : public std::enable_shared_from_this<signal_watch> {
 public:
  /// Catches the signals from now on.
  /// Throws: `std::invalid_argument` where there are none; `boost::system::system_error`, with the
  /// number, for one that cannot be caught.
  signal_watch(std::shared_ptr<pool_core> const& core, signal_options const& options);
  ~signal_watch();
  signal_watch(signal_watch const&) = delete;
  signal_watch& operator=(signal_watch const&) = delete;

  /// Begins to act on them.
  void wait();

  /// Catches them no longer, and restores what the process did with them before. On the strand.
  void release() noexcept;

 private:
  void hold(int signal, char const* option);
  void wait_for_next();

  signal_reaction reaction_;
  boost::asio::signal_set set_;
  std::vector<int> held_;  // in signal_dispositions
};

/// Throws: `std::invalid_argument` where there are no signals, or a dump is wanted on one of them.
void check_signals(signal_options const& options);

}  // namespace brigade::detail
