// Keeps a pool's own threads from ending while another thread posts a completion to them.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace brigade::detail {

/// Counts posters that are inside; closes only while there are none, and then for good. The word is
/// `inside * 2 + closed`.
///
/// Ordering: a poster's leave (release) is read by the closing exchange (acquire), so what was
/// posted before the gate closed is in the executor's queue when the last thread empties it.
class delivery_gate {
 public:
  class ticket {
   public:
    ticket() noexcept = default;
    ticket(ticket&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    ticket& operator=(ticket&&) = delete;
    ~ticket() {
      if (gate_ != nullptr) gate_->word_.fetch_sub(2, std::memory_order_release);
    }
    explicit operator bool() const noexcept { return gate_ != nullptr; }

   private:
    friend class delivery_gate;
    explicit ticket(delivery_gate& gate) noexcept : gate_(&gate) {}
    delivery_gate* gate_ = nullptr;
  };

  /// Holds the gate open while the ticket lives. Empty: it has closed.
  ticket enter() noexcept {
    auto word = word_.load(std::memory_order_relaxed);
    while ((word & 1) == 0) {
      if (word_.compare_exchange_weak(word, word + 2, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return ticket{*this};
      }
    }
    return {};
  }

  /// Closes the gate if nobody is inside. True also where it has been closed before.
  bool try_close() noexcept {
    std::uint64_t expected = 0;
    return word_.compare_exchange_strong(expected, 1, std::memory_order_acq_rel,
                                         std::memory_order_relaxed) ||
           expected == 1;
  }

 private:
  std::atomic<std::uint64_t> word_{0};
};

}  // namespace brigade::detail
