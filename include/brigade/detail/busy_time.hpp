// For how long a worker has been busy, its present stretch of work included.
//
// Invariants
// 1. One writer at a time, which sees what the one before it wrote.
// 2. One word says all: idle, the time that the worker has been busy; busy, that time less the
//    moment at which the stretch began, so that adding the present moment gives the time until now.
//    The low bit tells the two apart.
//
// Ordering: a reader that finds the same busy word before and after it reads the clock knows that
// the worker was in that stretch at that moment: another stretch has another word, since time that
// passes between two makes the difference smaller. But a writer reads its clock before it stores
// the end of a stretch, so a reader in between may count a moment too many. Readers therefore write
// down the most that any of them has returned, by a read-modify-write, and never return less.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace brigade::detail {

/// All zero is a worker that has not been busy yet. Times are nanoseconds of one clock.
class busy_time {
 public:
  /// By the writer, while idle.
  void begin(std::int64_t now) noexcept {
    word_.store(((total() - now) << 1) | busy_bit, std::memory_order_release);
  }
  /// By the writer, while busy.
  void end(std::int64_t now) noexcept {
    word_.store((total() + now) << 1, std::memory_order_release);
  }

  /// From any thread. Never less than what was read before; more than the worker's time by no more
  /// than it took the worker to write down the end of a stretch.
  template <class Clock>
  [[nodiscard]] std::int64_t read(Clock const& now) noexcept {
    auto const time = look(now);
    auto most = most_read_.load(std::memory_order_acquire);
    while (most < time && !most_read_.compare_exchange_weak(most, time, std::memory_order_acq_rel,
                                                            std::memory_order_acquire)) {
    }
    return most < time ? time : most;
  }

 private:
  static constexpr std::int64_t busy_bit = 1;

  template <class Clock>
  [[nodiscard]] std::int64_t look(Clock const& now) const noexcept {
    auto word = word_.load(std::memory_order_acquire);
    while ((word & busy_bit) != 0) {
      auto const moment = now();
      auto const again = word_.load(std::memory_order_acquire);
      if (again == word) return (word >> 1) + moment;
      word = again;
    }
    return word >> 1;
  }
  [[nodiscard]] std::int64_t total() const noexcept {
    return word_.load(std::memory_order_relaxed) >> 1;
  }

  std::atomic<std::int64_t> word_{0};
  std::atomic<std::int64_t> most_read_{0};
};

}  // namespace brigade::detail
