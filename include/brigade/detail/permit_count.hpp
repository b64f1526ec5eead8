// How many slots are held by permits, and whether they still count.
//
// A permit's slot is a position of its lane whose cell is empty and whose end has not been counted.
// stop() revokes all permits at once: from then on their slots are the pool's, and a permit that is
// spent or given back later finds that it has nothing to give. The revoked bit and the count are
// one word, so each slot is given back exactly once. SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace brigade::detail {

class permit_count {
 public:
  static constexpr unsigned most_lanes = 64;

  /// False: permits have been revoked, and this slot too.
  bool add(unsigned lane) noexcept {
    auto word = open_[lane].load(std::memory_order_relaxed);
    do {
      if ((word & revoked) != 0) return false;
    } while (!open_[lane].compare_exchange_weak(word, word + 1, std::memory_order_acq_rel));
    return true;
  }

  /// True: the caller gives the slot back. False: it is gone.
  bool remove(unsigned lane) noexcept {
    auto word = open_[lane].load(std::memory_order_relaxed);
    do {
      if ((word & revoked) != 0) return false;
    } while (!open_[lane].compare_exchange_weak(word, word - 1, std::memory_order_acq_rel));
    return true;
  }

  /// Revokes the lane's permits; how many slots the caller has to give back.
  std::uint64_t revoke(unsigned lane) noexcept {
    auto const before = open_[lane].exchange(revoked, std::memory_order_acq_rel);
    return before & ~revoked;
  }

  [[nodiscard]] std::uint64_t open(unsigned lane) const noexcept {
    return open_[lane].load(std::memory_order_acquire) & ~revoked;
  }

 private:
  static constexpr std::uint64_t revoked = std::uint64_t{1} << 63;
  std::array<std::atomic<std::uint64_t>, most_lanes> open_{};
};

}  // namespace brigade::detail
