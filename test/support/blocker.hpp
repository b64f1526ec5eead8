// Keeps workers busy until told otherwise, so that a test decides what is queued and what runs.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

#include <brigade/worker_pool.hpp>

#include "support/wait_until.hpp"

namespace test {

/// A gate that jobs wait at. Opens at the latest when it is destroyed; declare it after the pool, so
/// that the pool's destructor finds it open.
class blocker {
 public:
  ~blocker() { open(); }

  void open() {
    open_.store(true);
    open_.notify_all();
  }
  void wait() {
    waiting_.fetch_add(1);
    open_.wait(false);
  }
  [[nodiscard]] unsigned waiting() const { return waiting_.load(); }

  /// Gives `workers` blocking jobs to the pool and waits until all of them run.
  [[nodiscard]] bool occupy(brigade::worker_pool& pool, unsigned workers) {
    auto const before = waiting();
    for (unsigned i = 0; i != workers; ++i) {
      if (pool.try_post([this] { wait(); })) return false;
    }
    return wait_until([&] { return waiting() == before + workers; });
  }

 private:
  std::atomic<bool> open_{false};
  std::atomic<unsigned> waiting_{0};
};

}  // namespace test
