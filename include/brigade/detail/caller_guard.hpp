// Keeps a pool's core in memory for as long as a submitting call is inside it: the job that it
// publishes may run at once and destroy the pool, and the call has still to look whether a worker
// must be woken.
//
// Counting the callers, in a shared_ptr or otherwise, would cost two locked operations a job on one
// cache line for all submitters. Instead each thread has a place of its own where it writes down
// whose call it is in; whoever frees a core first waits until no place names it. The idea is that
// of hazard pointers (M. Michael, 2004), without their fence, and here is why none is needed: the
// pool may be destroyed by what happens after the job was published, and the place was written
// before that, so the one who frees sees it. A pool that is destroyed by somebody who knows nothing
// of the call is destroyed too early, whatever is done here.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <memory>

#include <brigade/detail/thread_place.hpp>

namespace brigade::detail {

class caller_guard {
 public:
  /// Cost: two plain stores. A call inside another call's user code, and one in a thread that is
  /// about to end, counts itself instead.
  template <class Core>
  explicit caller_guard(Core& core) : place_(thread_place::mine()) {
    if (place_ != nullptr && place_->calling.load(std::memory_order_relaxed) == nullptr)
        [[likely]] {
      place_->calling.store(&core, std::memory_order_release);
    } else {
      place_ = nullptr;
      std::construct_at(&keep_, core.shared_from_this());
    }
  }
  ~caller_guard() {
    if (place_ != nullptr) [[likely]] {
      place_->calling.store(nullptr, std::memory_order_release);
    } else {
      std::destroy_at(&keep_);
    }
  }
  caller_guard(caller_guard const&) = delete;
  caller_guard& operator=(caller_guard const&) = delete;

  /// Waits until no other thread is in a call of `core`. A call of this thread is not waited for:
  /// it must count itself before it runs code that may let go of the core.
  static void wait_for_others(void const* core) noexcept;

 private:
  thread_place* place_;
  union {
    std::shared_ptr<void const> keep_;  // where there is no place: not even cleared otherwise
  };
};

}  // namespace brigade::detail
