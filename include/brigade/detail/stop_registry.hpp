// Which running jobs can be asked to stop.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace brigade::detail {

/// Something that runs and can be asked to stop. Held by shared_ptr, so that asking needs no lock.
class stoppable : public std::enable_shared_from_this<stoppable> {
 public:
  virtual ~stoppable() = default;
  /// Called from any thread, without a lock, at most a few times; may come after the job's end.
  virtual void request_stop() = 0;

  /// What its worker's activity does not show, because no worker runs it: a coroutine.
  struct beginning {
    std::int64_t since = 0;  // steady_clock nanoseconds
    char const* name = nullptr;
  };
  [[nodiscard]] virtual std::optional<beginning> off_worker() const { return {}; }

 private:
  friend class stop_registry;
  std::size_t index_ = 0;  // where the registry keeps it
};

/// The running stoppable jobs of a pool. Thread-safe; no user code runs under its lock. Only jobs
/// that take a std::stop_token, and coroutines, pay for it.
class stop_registry {
 public:
  void add(stoppable& job);
  void remove(stoppable& job) noexcept;
  void request_stop_of_all();

  /// Calls `visitor(stoppable const&)` for each, under the lock.
  template <class Visitor>
  void visit(Visitor visitor) const {
    std::lock_guard const lock(mutex_);
    for (auto const* job : jobs_) visitor(*job);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<stoppable*> jobs_;
};

}  // namespace brigade::detail
