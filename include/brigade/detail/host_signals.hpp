// Takes the signals that end a pool from a signal_set of the host's.
//
// The set is touched by handlers on its own executor only, which run one at a time. Before the
// completion is told the wait on the set is cancelled there, so the handler may destroy the set.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/signal_set.hpp>

#include <brigade/detail/shutdown_sequence.hpp>
#include <brigade/detail/signal_reaction.hpp>
#include <brigade/shutdown.hpp>

namespace brigade::detail {

class pool_core;

class host_signals : public std::enable_shared_from_this<host_signals> {
 public:
  host_signals(std::shared_ptr<pool_core> const& core, signal_options const& options,
               boost::asio::signal_set& set);

  /// Begins to act on them. If the set is cancelled or destroyed, the waiter `id` of the pool's
  /// shutdown is told `operation_aborted`.
  void wait(std::uint64_t id);

  /// A waiter that lets the set go, on its executor, before it tells the other.
  std::unique_ptr<shutdown_waiter> before(std::unique_ptr<shutdown_waiter> other);

 private:
  class waiter;
  void wait_for_next();
  void release();

  signal_reaction reaction_;
  boost::asio::any_io_executor on_;
  std::optional<boost::asio::any_io_executor> work_;  // keeps the set's context running

  // Touched on on_ only.
  boost::asio::signal_set* set_;  // null: it has been let go
  boost::asio::cancellation_signal end_of_wait_;
  std::uint64_t id_ = 0;
  bool waiting_ = false;
};

}  // namespace brigade::detail
