// Keeps workers busy until told otherwise, so that a test decides what is queued and what runs.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <memory>

#include <brigade/worker_pool.hpp>

namespace test {

/// A gate that jobs wait at. Opens at the latest when it is destroyed; declare it after the pool,
/// so that the pool's destructor finds it open.
class blocker {
 public:
  ~blocker() { open(); }

  void open() {
    state_->open.store(true);
    state_->open.notify_all();
  }
  void wait() {
    auto const own = state_;  // for a last look at it, by which time the blocker may be gone
    own->waiting.fetch_add(1);
    own->open.wait(false);
  }
  [[nodiscard]] unsigned waiting() const { return state_->waiting.load(); }

  /// Gives `workers` blocking jobs to the pool and waits until all of them run.
  [[nodiscard]] bool occupy(brigade::worker_pool& pool, unsigned workers);

 private:
  struct state {
    std::atomic<bool> open{false};
    std::atomic<unsigned> waiting{0};
  };

  std::shared_ptr<state> const state_ = std::make_shared<state>();
};

}  // namespace test
