// press: what all connections share: the settings, the pool, the counters and how far the end is.
//
// Thread safety: everything from any thread, but for the two `wait_for_none()`, which belong on
// `control`.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <brigade/worker_pool.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "memory_budget.hpp"
#include "metrics.hpp"
#include "options.hpp"
#include "tally.hpp"
#include "traffic.hpp"

namespace press {

class connection;

/// How far the service is on its way. It only moves forward.
enum class phase {
  serving,
  leaving,          ///< as ever, but not ready any more, and each answer closes its connection
  refusing,         ///< requests whose header comes only now are refused
  cutting_uploads,  ///< bodies that are still on their way are waited for no longer
  giving_up,        ///< bodies that are still in work are waited for no longer
  closing,          ///< connections without a request are closed
  aborting,         ///< the others too
};

class service {
 public:
  /// Starts the workers. They inherit the caller's signal mask.
  service(asio::any_io_executor control, options settings);

  [[nodiscard]] phase current() const noexcept { return phase_.load(); }

  /// Moves on and tells every connection. Never back.
  void enter(phase next);

  void add(std::shared_ptr<connection> const& client);
  void remove(connection const* client);

  options const settings;
  traffic http;
  memory_budget memory{settings.max_memory};  ///< for bodies and answers
  asio::any_io_executor const control;  ///< one thread: accepting, signals and the end run on it
  tally uploads;                        ///< accepted requests whose body is still on its way
  tally connections;
  std::atomic<std::uint64_t> given_up{0};  ///< requests whose job was cancelled or abandoned
  brigade::worker_pool pool;
  metrics const numbers{pool, http, memory};

 private:
  std::atomic<phase> phase_{phase::serving};
  std::mutex mutex_;  // guards clients_
  std::unordered_map<connection const*, std::weak_ptr<connection>> clients_;
};

}  // namespace press
