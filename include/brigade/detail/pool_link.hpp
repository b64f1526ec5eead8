// Where a pool and its views meet.
//
// A view must neither keep the pool's core alive, for what is destroyed with it must be destroyed
// when the pool is, nor use it afterwards. So a reading holds the mutex, and the end of the pool,
// which takes the core out of the link, waits for it. Nothing of a user's runs under the mutex.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <mutex>

namespace brigade::detail {

class pool_core;

struct pool_link {
  std::mutex mutex;
  pool_core const* core = nullptr;  // null once the pool is gone
};

/// The pool's end of the link.
class pool_link_owner {
 public:
  pool_link_owner() : link_(std::make_shared<pool_link>()) {}
  pool_link_owner(pool_link_owner const&) = delete;
  pool_link_owner& operator=(pool_link_owner const&) = delete;

  void attach(pool_core const& core) { set(&core); }

  /// Waits for readings that have begun. Call before the core is let go of.
  void detach() { set(nullptr); }

  [[nodiscard]] std::shared_ptr<pool_link> const& link() const noexcept { return link_; }

 private:
  void set(pool_core const* core) {
    std::lock_guard const lock(link_->mutex);
    link_->core = core;
  }

  std::shared_ptr<pool_link> link_;
};

}  // namespace brigade::detail
