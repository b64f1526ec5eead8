// Whether a job has been queued for too long to be run: CoDel (K. Nichols, V. Jacobson, 2012) in
// the form that suits a queue of jobs, where the sojourn time of each is known when it comes to a
// worker and a shed job costs next to nothing. Instead of spacing its drops it sheds all that were
// queued for more than twice the target, for as long as the queue stands: as long as even the
// shortest sojourn of an interval is above the target.
//
// Pure but for its state, which all workers of a pool share: each word is right by itself, and a
// decision that is made with the last interval's verdict instead of this one's does no harm.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

#include <brigade/options.hpp>

namespace brigade::detail {

class codel_controller {
 public:
  explicit codel_controller(codel const& settings) noexcept
      : target_(static_cast<std::uint32_t>(settings.target.count())),
        interval_(static_cast<std::uint32_t>(settings.interval.count())) {}

  /// A job that was queued at `then` comes to a worker at `now`; both are milliseconds modulo 2^32.
  /// True: it is to be shed.
  bool sheds(std::uint32_t then, std::uint32_t now) noexcept {
    auto const sojourn = now - then;
    auto began = interval_began_.load(std::memory_order_relaxed);
    if (now - began >= interval_ &&
        interval_began_.compare_exchange_strong(began, now, std::memory_order_relaxed)) {
      auto const shortest = shortest_.exchange(sojourn, std::memory_order_relaxed);
      // With this one's: the first job after a pause says that the queue had been empty.
      standing_.store((shortest < sojourn ? shortest : sojourn) > target_,
                      std::memory_order_relaxed);
    } else {
      auto shortest = shortest_.load(std::memory_order_relaxed);
      while (sojourn < shortest &&
             !shortest_.compare_exchange_weak(shortest, sojourn, std::memory_order_relaxed)) {
      }
    }
    return sojourn > 2 * target_ && standing_.load(std::memory_order_relaxed);
  }

 private:
  std::uint32_t const target_;
  std::uint32_t const interval_;
  std::atomic<std::uint32_t> interval_began_{0};
  std::atomic<std::uint32_t> shortest_{0};
  std::atomic<bool> standing_{false};
};

}  // namespace brigade::detail
