// A worker's turn: takes jobs out of the queue and runs them until there are none or its budget is
// spent, then hands the thread back to the executor.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <utility>

#include <brigade/detail/turn_memory.hpp>

namespace brigade::detail {

class pool_core;

/// The handler that is posted to the executor. At most one per worker exists.
class posted_turn {
 public:
  using allocator_type = turn_allocator<void>;

  /// `keep` holds the core where the executor does not belong to it (a host's).
  posted_turn(pool_core& core, std::shared_ptr<pool_core> keep, turn_memory& memory, unsigned slot,
              bool searching) noexcept
      : core_(&core),
        keep_(std::move(keep)),
        memory_(&memory),
        slot_(slot),
        searching_(searching) {}
  posted_turn(posted_turn&& other) noexcept = default;
  posted_turn& operator=(posted_turn&&) = delete;
  ~posted_turn();

  [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(*memory_); }

  /// Runs the turn. What leaves it is what a completion handler threw; the worker has another turn
  /// posted by then.
  void operator()();

 private:
  pool_core* core_;
  std::shared_ptr<pool_core> keep_;
  turn_memory* memory_;
  unsigned slot_;
  bool searching_;
};

}  // namespace brigade::detail
