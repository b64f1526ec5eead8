// press: a bound on the bytes of bodies and answers that all connections hold together.
//
// The pool's capacity bounds what is in work. Bodies on their way there, and answers on their way
// to clients that take their time, are outside of it.
//
// Thread safety: a budget from any thread; a share belongs to its connection.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>

namespace press {

class memory_budget {
 public:
  explicit memory_budget(std::size_t most) noexcept : most_(most) {}

  [[nodiscard]] std::size_t held() const noexcept { return held_.load(std::memory_order_relaxed); }

  /// Whether so many bytes would be granted now.
  [[nodiscard]] bool has_room_for(std::size_t bytes) const noexcept {
    auto const now = held();
    return now <= most_ && bytes <= most_ - now;
  }

 private:
  friend class memory_share;

  // A sum, which orders nothing.
  bool try_take(std::size_t bytes) noexcept {
    auto now = held();
    do {
      if (now > most_ || bytes > most_ - now) return false;
    } while (!held_.compare_exchange_weak(now, now + bytes, std::memory_order_relaxed));
    return true;
  }

  std::size_t const most_;
  std::atomic<std::size_t> held_{0};
};

/// What one connection holds of the budget; gives it back at the end.
class memory_share {
 public:
  explicit memory_share(memory_budget& budget) noexcept : budget_(budget) {}
  memory_share(memory_share const&) = delete;
  memory_share& operator=(memory_share const&) = delete;
  ~memory_share() { set(0); }

  /// Holds `bytes` from now on. False, and unchanged, where there is no room for more.
  [[nodiscard]] bool grow_to(std::size_t bytes) noexcept {
    if (bytes <= bytes_) return true;
    if (!budget_.try_take(bytes - bytes_)) return false;
    bytes_ = bytes;
    return true;
  }

  /// The same for what is there already and cannot be refused any more.
  void set(std::size_t bytes) noexcept {
    budget_.held_.fetch_add(bytes - bytes_, std::memory_order_relaxed);  // modulo 2^n: also less
    bytes_ = bytes;
  }

 private:
  memory_budget& budget_;
  std::size_t bytes_ = 0;
};

}  // namespace press
