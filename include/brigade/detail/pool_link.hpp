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

/// The pool's end of the link: takes the core out of it when it is destroyed.
class pool_link_owner {
 public:
  explicit pool_link_owner(pool_core const& core) : link_(std::make_shared<pool_link>()) {
    link_->core = &core;
  }
  ~pool_link_owner() {
    std::lock_guard const lock(link_->mutex);
    link_->core = nullptr;
  }
  pool_link_owner(pool_link_owner const&) = delete;
  pool_link_owner& operator=(pool_link_owner const&) = delete;

  [[nodiscard]] std::shared_ptr<pool_link> const& link() const noexcept { return link_; }

 private:
  std::shared_ptr<pool_link> link_;
};

}  // namespace brigade::detail
