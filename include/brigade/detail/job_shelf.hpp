// Queued jobs that came to a worker before they might run, and wait beside the ring until they may:
// those that are held back, and those that have been called and are taken before all others, for
// they are older.
//
// Ordering: `called_count_` is raised after the job is in its place and is sequentially consistent,
// as the publishing of a job in the ring is: so the worker that looks once more before it sleeps
// (crew.hpp) sees it, or whoever called the job sees that worker asleep.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <brigade/detail/inline_job.hpp>
#include <brigade/detail/overflow_store.hpp>

namespace brigade::detail {

/// The jobs of one lane. Thread-safe; no user code runs under its lock.
class job_shelf {
 public:
  using node = overflow_store::node;

  /// Holds a job back. It keeps its position, and its slot with it.
  void hold(node&& job, std::uint64_t position) noexcept;

  /// Lets a job be taken from now on. Does nothing where it is not here any more.
  void call(std::uint64_t position) noexcept;

  /// Whether take_called() would find something. Sequentially consistent with call().
  [[nodiscard]] bool ready() const noexcept {
    return called_count_.load(std::memory_order_seq_cst) != 0;
  }
  /// Takes the oldest job that has been called.
  bool take_called(inline_job& out) noexcept;

  /// Takes the oldest job of all; to end it, for it may not run.
  bool take_any(inline_job& out) noexcept;

  /// The job at `position`, removed; empty where there is none.
  node remove(std::uint64_t position) noexcept;

  /// When the oldest of all was queued. False: there is none.
  bool oldest_stamp(std::uint32_t& stamp) const noexcept;

 private:
  [[nodiscard]] overflow_store const& oldest() const noexcept;

  mutable std::mutex mutex_;
  overflow_store held_;    // guarded by mutex_
  overflow_store called_;  // guarded by mutex_
  std::atomic<std::size_t> called_count_{0};
};

}  // namespace brigade::detail
