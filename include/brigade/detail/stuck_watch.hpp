// Looks at the workers from time to time and tells of jobs that run for too long.
//
// On a timer of the control context, so that it sees to it while every worker is stuck. Where a
// job's beginning is not known exactly (worker_activity.hpp) it counts from the first time that the
// watch has seen it: late by a look, but never early.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include <boost/asio/steady_timer.hpp>

namespace brigade::detail {

class pool_core;

class stuck_watch : public std::enable_shared_from_this<stuck_watch> {
 public:
  /// Watches the pool until it is gone, if its options want that.
  /// Throws: `std::system_error` if the control thread cannot be started.
  static void begin(std::shared_ptr<pool_core> const& core);

  explicit stuck_watch(std::shared_ptr<pool_core> const& core);

 private:
  /// What was seen of a worker.
  struct sight {
    std::uint64_t job = 0;
    std::int64_t first_seen = 0;
    bool told = false;
  };

  void wait();
  void look(pool_core& core);

  // Touched by the timer's handler only, once it is set.
  std::weak_ptr<pool_core> core_;
  std::chrono::nanoseconds after_;
  std::vector<sight> workers_;
  boost::asio::steady_timer timer_;
};

}  // namespace brigade::detail
