// Who waits for a slot: first come, first served, guarded by a strand on the control context.
//
// Invariants
// 1. Places are counted by `places_`, never more than the pool allows. A place is taken in the
//    submitting thread, which then marks the gates (`waiting_bit`): from then on no newcomer gets a
//    slot before those in line. It is given back on the strand.
// 2. The line itself is touched on the strand only, and its order is that in which places were
//    taken.
// 3. Gates are unmarked on the strand, when nobody is in line; who took a place meanwhile and has
//    not come to the strand yet shows in `places_`, which is read after that, and the mark is put
//    back.
//
// No hand-over is lost. Somebody joins: the line raises the core's `slots_awaited`, passes a heavy
// fence, and looks for a free slot. A job ends: its end is counted, a light fence, the flag is
// read. So either the line sees the slot, or whoever freed it sees that it is awaited, and calls
// notify(). `notified_` is lowered before the line looks, so of two ends at the same time the
// second is seen by that look or by the next one.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <boost/asio/post.hpp>

#include <brigade/detail/admission.hpp>
#include <brigade/detail/control_context.hpp>
#include <brigade/detail/job_queue.hpp>
#include <brigade/error.hpp>

namespace brigade::detail {

class pool_core;

/// Somebody in line. Ends with one of its two calls, on the strand.
class waiter {
 public:
  waiter(unsigned lane, submitter who) noexcept : lane_(lane), who_(who) {}
  virtual ~waiter() = default;

  /// Has a slot from now on. Never calls a handler inside.
  virtual void admit(pool_core& core, admission_claim const& claim) = 0;
  /// Is sent away; `why` is what it is told.
  virtual void refuse(pool_core& core, error_code const& why) = 0;

  /// Why it shall be sent away at once: somebody wanted it to before it had come. No error: it may
  /// stay.
  [[nodiscard]] virtual error_code given_up() const noexcept = 0;

  [[nodiscard]] unsigned lane() const noexcept { return lane_; }
  [[nodiscard]] submitter who() const noexcept { return who_; }

 private:
  unsigned lane_;
  submitter who_;
};

class waiting_line : public std::enable_shared_from_this<waiting_line> {
 public:
  waiting_line(std::uint64_t places, unsigned lanes);

  /// Takes a place: a number for join() and cancel(); 0 where there is none left.
  std::uint64_t take_place(pool_core& core, unsigned lane) noexcept;
  /// Throws: `bad_alloc`; then the place has been given back.
  void join(std::shared_ptr<pool_core> const& core, std::uint64_t number,
            std::unique_ptr<waiter> who);

  /// Sends a waiter away. Calls `otherwise` on the strand if it is not in line any more.
  template <class Otherwise>
  void cancel(std::shared_ptr<pool_core> core, std::uint64_t number, error_code why,
              Otherwise otherwise) {
    boost::asio::post(on_, [self = shared_from_this(), core = std::move(core), number, why,
                            otherwise = std::move(otherwise)] {
      if (!self->send_away(*core, number, why)) otherwise();
    });
  }

  /// A slot may have come free, or the pool's state has changed.
  void notify(std::shared_ptr<pool_core> core) noexcept;

  [[nodiscard]] std::uint64_t length() const noexcept {
    return places_.load(std::memory_order_relaxed);
  }

 private:
  // On the strand.
  void add(pool_core& core, std::uint64_t number, std::unique_ptr<waiter> who);
  bool send_away(pool_core& core, std::uint64_t number, error_code const& why);
  void serve(pool_core& core);
  void give_place_back(unsigned lane) noexcept;
  void mark_gates(pool_core& core, bool pool_is_full);

  std::uint64_t const most_;
  control_strand on_;
  std::atomic<std::uint64_t> places_{0};
  std::vector<std::atomic<std::uint64_t>> places_in_lane_;
  std::atomic<std::uint64_t> last_number_{0};
  std::atomic<bool> notified_{false};
  std::map<std::uint64_t, std::unique_ptr<waiter>> line_;  // touched on the strand only
};

}  // namespace brigade::detail
