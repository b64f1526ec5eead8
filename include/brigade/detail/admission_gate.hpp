// The admission word at work: one atomic that everybody who submits changes, and a position below
// which it need not be thought about.
//
// Ordering: the word is changed by read-modify-writes only, so closing, draining and admitting have
// one order that all threads agree on.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

#include <brigade/detail/admission.hpp>
#include <brigade/detail/atomic.hpp>

namespace brigade::detail {

class admission_gate {
 public:
  [[nodiscard]] admission_word word() const noexcept {
    return word_.load(std::memory_order_seq_cst);
  }
  [[nodiscard]] admission_word look() const noexcept {
    return word_.load(std::memory_order_acquire);
  }

  /// Gives out `count` positions from `seen` on, and sets `bits`, unless the word has changed; then
  /// `seen` is what it is now.
  bool give_out(admission_word& seen, std::uint64_t count, admission_word bits = 0) noexcept {
    return word_.compare_exchange_weak(seen, (seen + count * one_position) | bits,
                                       std::memory_order_acq_rel, std::memory_order_acquire);
  }

  /// A position below which there is certainly a slot. Derived from counts that only grow, so a
  /// stale value is too small: who is refused by it reads the counts themselves before answering.
  /// Release and acquire: who is admitted by it runs after the jobs whose ends made the room.
  [[nodiscard]] std::uint64_t limit() const noexcept {
    return limit_.load(std::memory_order_acquire);
  }
  void set_limit(std::uint64_t position) noexcept {
    limit_.store(position, std::memory_order_release);
  }

  /// Sets or clears state bits; returns the word as it was before.
  admission_word set(admission_word bits) noexcept {
    return word_.fetch_or(bits, std::memory_order_seq_cst);
  }
  admission_word clear(admission_word bits) noexcept {
    return word_.fetch_and(~bits, std::memory_order_seq_cst);
  }

  /// Sets `drained` if the gate is closed and every job has ended. True for the one caller that set
  /// it. Call after any job's end that may have been the last. `finished()` sums up the ended jobs.
  template <class Finished>
  bool try_finish(Finished const& finished) noexcept {
    // The addition of nothing is a read-modify-write: of two threads whose jobs end at the same
    // time the second to come here sees what both have counted.
    auto const before = word_.fetch_or(0, std::memory_order_acq_rel);
    if ((before & closed_bit) == 0 || (before & drained_bit) != 0) return false;
    // Read in this order: a running job may still submit, but only while it has not ended itself.
    // If all positions given out by now had ended before now, none is left that could submit.
    auto const ended = finished();
    if (position_of(word_.load(std::memory_order_acquire)) != ended) return false;
    return (word_.fetch_or(drained_bit, std::memory_order_acq_rel) & drained_bit) == 0;
  }

 private:
  atomic<admission_word> word_{0};
  atomic<std::uint64_t> limit_{0};
};

}  // namespace brigade::detail
