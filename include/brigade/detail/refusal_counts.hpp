// How often a pool said no. A refusal is answered in a few nanoseconds, as a locked addition takes
// by itself: so threads with a low number count on a line of their own, by plain stores, and only
// the others share one.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include <brigade/detail/admission.hpp>
#include <brigade/detail/thread_place.hpp>

namespace brigade::detail {

class refusal_counts {
 public:
  /// From any thread.
  void add(verdict why) noexcept {
    auto const* const place = thread_place::existing();  // whoever has posted has one
    if (place != nullptr && place->number < own_.size()) {
      auto& count = own_[place->number].of(why);
      count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      shared_.of(why).fetch_add(1, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] std::uint64_t of(verdict why) const noexcept {
    auto sum = shared_.of(why).load(std::memory_order_relaxed);
    for (auto const& line : own_) sum += line.of(why).load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(64) counts {
    std::atomic<std::uint64_t> full{0};
    std::atomic<std::uint64_t> closed{0};

    std::atomic<std::uint64_t>& of(verdict why) noexcept {
      return why == verdict::queue_full ? full : closed;
    }
    [[nodiscard]] std::atomic<std::uint64_t> const& of(verdict why) const noexcept {
      return why == verdict::queue_full ? full : closed;
    }
  };

  std::array<counts, 16> own_;
  counts shared_;
};

}  // namespace brigade::detail
