// Who waits for a pool to have drained.
//
// The list is guarded by a strand on the control context, so that a drain can be watched while
// every worker is stuck, and told of after the workers have gone.
//
// Ordering: a watcher raises `watched_`, then looks at whether the pool has drained; the pool sets
// its drained bit, then looks at `watched_`. All four are sequentially consistent, so one of them
// sees the other; where both do, the second to reach the strand finds nothing left to do.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include <brigade/detail/control_context.hpp>
#include <brigade/error.hpp>

namespace brigade::detail {

/// A completion that waits for the drain. Told once, or destroyed.
class drain_watcher {
 public:
  virtual ~drain_watcher() = default;
  /// Posts the completion; never calls it inside.
  virtual void tell(error_code result) = 0;
};

/// The watchers of one pool. Shared: handlers on the strand and cancellation slots hold it.
class drain_watch_list : public std::enable_shared_from_this<drain_watch_list> {
 public:
  drain_watch_list();

  std::uint64_t next_id() noexcept { return next_id_.fetch_add(1, std::memory_order_relaxed); }
  /// Adds a watcher; tells it at once if the pool has drained already.
  void add(std::uint64_t id, std::unique_ptr<drain_watcher> watcher);
  /// Tells the watcher `operation_aborted` if it still waits.
  void cancel(std::uint64_t id);
  /// The pool has drained: tells all, now and from now on.
  void drained();

 private:
  control_strand on_;
  std::atomic<std::uint64_t> next_id_{0};
  std::map<std::uint64_t, std::unique_ptr<drain_watcher>> waiting_;  // touched on on_ only
  bool drained_ = false;                                             // touched on on_ only
};

/// A pool's handle on its watchers; starts the control context when the first one comes.
class drain_watch {
 public:
  /// The list, made on first use. After add(), call `drained()` if the pool has drained.
  std::shared_ptr<drain_watch_list> watch();
  /// Tells the watchers, if there are any.
  void drained();

 private:
  std::atomic<bool> watched_{false};
  std::once_flag made_;
  std::shared_ptr<drain_watch_list> list_;
};

}  // namespace brigade::detail
