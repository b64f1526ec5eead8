// brigade: a pool seen from outside, by whoever wants its numbers and must not keep it alive.
//
//   brigade::pool_view view = pool.view();
//   if (auto const now = view.metrics()) show(*now);  // empty once the pool is gone
//
// Thread safety: distinct objects: safe; shared objects: safe, but for assignment.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <brigade/detail/pool_link.hpp>
#include <brigade/metrics.hpp>

namespace brigade {

/// Refers to a `worker_pool` without owning it. Copies refer to the same pool.
class pool_view {
 public:
  /// A view of no pool.
  pool_view() = default;

  /// What `worker_pool::view()` calls.
  explicit pool_view(std::shared_ptr<detail::pool_link> link) : link_(std::move(link)) {}

  /// A consistent snapshot, or nothing once the pool is gone.
  ///
  /// Throws: `std::bad_alloc`.
  /// Thread safety: any thread, also while the pool is being destroyed, which waits for it.
  /// Cost: a mutex of this pool's own, and `worker_pool::metrics()`.
  [[nodiscard]] std::optional<pool_metrics> metrics() const;

  /// Whether the pool is gone.
  ///
  /// Thread safety: any thread.
  [[nodiscard]] bool expired() const;

  /// Whether both are views of the same pool.
  friend bool operator==(pool_view const&, pool_view const&) = default;

 private:
  std::shared_ptr<detail::pool_link> link_;
};

}  // namespace brigade
