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
// passes between two makes the difference smaller. So every reading is a value that the worker's
// time had at a moment during the call, and readings that follow each other never shrink.
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

  /// From any thread. Retries where the worker began or ended a stretch meanwhile.
  template <class Clock>
  [[nodiscard]] std::int64_t read(Clock const& now) const noexcept {
    auto word = word_.load(std::memory_order_acquire);
    while ((word & busy_bit) != 0) {
      auto const moment = now();
      auto const again = word_.load(std::memory_order_acquire);
      if (again == word) return (word >> 1) + moment;
      word = again;
    }
    return word >> 1;
  }

 private:
  static constexpr std::int64_t busy_bit = 1;

  [[nodiscard]] std::int64_t total() const noexcept {
    return word_.load(std::memory_order_relaxed) >> 1;
  }

  std::atomic<std::int64_t> word_{0};
};

}  // namespace brigade::detail
