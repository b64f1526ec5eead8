// How many slots are held by permits, and whether they still count.
//
// A permit's slot is a position of its lane whose cell is empty and whose end has not been counted.
// stop() revokes all permits at once: from then on their slots are the pool's, and a permit that is
// spent or given back later finds that it has nothing to give. The revoked bit and the count are
// one word, so each slot is given back exactly once.
//
// A position that becomes a permit's looks like a job's until it is counted here, and again between
// the moment in which it is not counted here any more and the one in which it is counted as voided.
// For as long somebody says so in `unsettled`, so that a snapshot never takes it for a job.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace brigade::detail {

class permit_count {
 public:
  static constexpr unsigned most_lanes = 64;

  /// While it lives, up to `positions` of the lane are not what they seem.
  class unsettled {
   public:
    unsettled(permit_count& counts, unsigned lane, std::uint64_t positions = 1) noexcept
        : count_(counts.unsettled_[lane]), positions_(positions) {
      count_.fetch_add(positions_, std::memory_order_acq_rel);
    }
    ~unsettled() { count_.fetch_sub(positions_, std::memory_order_release); }
    unsettled(unsettled const&) = delete;
    unsettled& operator=(unsettled const&) = delete;

   private:
    std::atomic<std::uint64_t>& count_;
    std::uint64_t const positions_;
  };
  static constexpr std::uint64_t all_positions = std::uint64_t{1} << 40;

  /// No more than so many positions of the lane that were given out before are permits' now, or
  /// were and are not yet counted as voided. Read after the position, and before the voided ones:
  /// from `unsettled` a position moves on to `open`, back, and to the voided ones, each time
  /// counted in the next before it leaves the last, so one of the three readings has it.
  [[nodiscard]] std::uint64_t at_most(unsigned lane) const noexcept {
    auto const before = unsettled_[lane].load(std::memory_order_acquire);
    auto const held = open(lane);
    return before + held + unsettled_[lane].load(std::memory_order_acquire);
  }

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
  std::array<std::atomic<std::uint64_t>, most_lanes> unsettled_{};
};

}  // namespace brigade::detail
