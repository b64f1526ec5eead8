// A place of its own for each thread that uses a pool, where it can leave word for others without a
// locked operation, and a small number that no other living thread has.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

namespace brigade::detail {

/// Never freed, so that the list can be walked without a lock; given on to another thread instead,
/// number and all. 64 bytes for as many threads as ever lived at the same time.
struct alignas(64) thread_place {
  /// Whose submitting call the thread is in: see caller_guard.hpp. Written with release only, so
  /// that whoever reads any value sees what came before it.
  std::atomic<void const*> calling{nullptr};
  std::atomic<bool> taken{true};
  unsigned number = 0;
  thread_place* next = nullptr;

  /// The calling thread's. Null where there is no memory, or when the thread's own objects have
  /// been destroyed.
  static thread_place* mine() noexcept { return mine_ != nullptr ? mine_ : make_mine(); }

  /// Null while the calling thread has none.
  static thread_place* existing() noexcept { return mine_; }

  /// The first of all places, those of ended threads too.
  static thread_place* first() noexcept;

 private:
  static thread_place* make_mine() noexcept;

  friend struct thread_place_holder;
  // Initial-exec: in position-independent code, as the library's is, each look would be a call
  // otherwise. It takes 8 bytes of what glibc keeps for libraries that are opened late; other
  // loaders may refuse to open one.
#ifdef __GLIBC__
  [[gnu::tls_model("initial-exec")]]
#endif
  static inline constinit thread_local thread_place* mine_ = nullptr;
};

}  // namespace brigade::detail
