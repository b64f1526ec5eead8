// What signals do to a pool: the first begins its shutdown, the second hurries it, the third is let
// through.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include <brigade/detail/shutdown_sequence.hpp>
#include <brigade/shutdown.hpp>

namespace brigade::detail {

class pool_core;

/// Lives on the strand of the pool's shutdown sequence, whose waiter owns it.
class signal_watch : public std::enable_shared_from_this<signal_watch> {
 public:
  /// Catches the signals from now on.
  /// Throws: `std::invalid_argument` where there are none; `boost::system::system_error`, with the
  /// number, for one that cannot be caught.
  signal_watch(std::shared_ptr<pool_core> const& core, shutdown_options const& times,
               std::vector<int> const& signals);
  ~signal_watch();
  signal_watch(signal_watch const&) = delete;
  signal_watch& operator=(signal_watch const&) = delete;

  /// Begins to act on them.
  void wait();

  /// Catches them no longer, and restores what the process did with them before. On the strand.
  void release() noexcept;

 private:
  void wait_for_next();
  void caught(int signal);

  std::weak_ptr<pool_core> core_;
  std::shared_ptr<shutdown_sequence> sequence_;
  shutdown_options times_;
  boost::asio::signal_set set_;
  std::vector<int> held_;  // in signal_dispositions
  int seen_ = 0;
};

}  // namespace brigade::detail
