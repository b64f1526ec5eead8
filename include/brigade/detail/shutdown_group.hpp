// The end of several pools under one deadline: all at once, or one after the other.
//
// Each pool has its own sequence; the group begins them and collects what they tell. In an order,
// the pools that wait for their turn are lame ducks: they still admit what the pools before them
// send. A pool's turn comes when the one before it has ended, at the latest when the drain's time
// is over for all of them.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <brigade/detail/control_context.hpp>
#include <brigade/detail/shutdown_sequence.hpp>
#include <brigade/error.hpp>
#include <brigade/shutdown.hpp>

namespace brigade::detail {

class pool_core;

/// A completion that waits for the end of a group. Told once, or destroyed.
class group_waiter {
 public:
  virtual ~group_waiter() = default;
  /// Posts the completion; never calls it inside.
  virtual void tell(error_code result, std::vector<shutdown_report> reports) = 0;
};

/// Lives until the last pool has ended. Touched on its strand, but for cancel().
class shutdown_group : public std::enable_shared_from_this<shutdown_group> {
 public:
  shutdown_group(std::vector<std::shared_ptr<pool_core>> pools, shutdown_order order,
                 shutdown_options const& times);

  void begin(std::unique_ptr<group_waiter> waiter);
  /// Tells the waiter `operation_aborted` if it still waits. The shutdown goes on.
  void cancel();

 private:
  class member_waiter;
  void begin_now();
  void ended(std::size_t index, shutdown_report const& report);
  void tell(error_code result);

  control_strand on_;
  std::vector<std::shared_ptr<pool_core>> pools_;
  shutdown_order order_;
  shutdown_options times_;
  std::vector<shutdown_report> reports_;
  std::vector<char> has_ended_;
  std::unique_ptr<group_waiter> waiter_;
  std::size_t turn_ = 0;  // the first that has not ended
};

}  // namespace brigade::detail
