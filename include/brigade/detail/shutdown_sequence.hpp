// The phases of a pool's end, one after the other, each with its time.
//
// All of it happens on a strand of the control context, so that it goes on while every worker is
// stuck, and needs no lock. The pool's own state (the admission word) stays the truth: whoever
// calls close() or stop() by hand moves the pool, and the sequence follows it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include <brigade/detail/control_context.hpp>
#include <brigade/error.hpp>
#include <brigade/shutdown.hpp>

namespace brigade::detail {

class pool_core;

/// Throws: `std::invalid_argument` with the name of a negative time.
void check(shutdown_options const& times);

/// A time that can be added to a clock's.
std::chrono::milliseconds at_most_ten_years(std::chrono::milliseconds time) noexcept;

/// A completion that waits for the end of a shutdown. Told once, on the strand, or destroyed.
class shutdown_waiter {
 public:
  virtual ~shutdown_waiter() = default;
  /// Posts the completion; never calls it inside.
  virtual void tell(error_code result, shutdown_report const& report) = 0;
};

/// A place in a group of pools: who may call end_lame_duck(), and when the drain's time is over for
/// all of them.
struct place_in_group {
  void const* group = nullptr;
  std::chrono::steady_clock::time_point drained_by = std::chrono::steady_clock::time_point::max();
};

class shutdown_sequence : public std::enable_shared_from_this<shutdown_sequence> {
 public:
  using phase_hook = std::function<void(pool_state)>;

  shutdown_sequence();

  control_strand const& executor() const noexcept { return on_; }

  std::uint64_t next_id() noexcept { return next_id_.fetch_add(1, std::memory_order_relaxed); }

  /// Adds a waiter, and a hook for the phases to come. A sequence that has ended tells it at once.
  /// Ends too if the pool drains without a shutdown.
  void add(std::shared_ptr<pool_core> core, std::uint64_t id,
           std::unique_ptr<shutdown_waiter> waiter, phase_hook hook = {});
  /// Tells the waiter `operation_aborted` if it still waits. The shutdown goes on.
  void cancel(std::uint64_t id);

  /// Begins. Who comes second finds it begun, and changes nothing.
  void begin(std::shared_ptr<pool_core> core, shutdown_options times, int signal = 0,
             place_in_group place = {});
  /// Goes on to `draining`, where this group has begun it and it is a lame duck still.
  void end_lame_duck(std::shared_ptr<pool_core> core, void const* group);
  /// Goes to `cancelling` at once, if it has begun.
  void hurry(std::shared_ptr<pool_core> core);
  /// Somebody has called close() or stop(): a shutdown that has begun goes on from there.
  void pool_has_moved(std::shared_ptr<pool_core> core);

 private:
  using shared_core = std::shared_ptr<pool_core>;
  using step = void (shutdown_sequence::*)(shared_core const&);

  // On the strand.
  void follow(shared_core const& core);
  void begin_now(shared_core const& core, shutdown_options const& times, int signal,
                 place_in_group const& place);
  void drain(shared_core const& core);
  void cancel_jobs(shared_core const& core);
  void give_up(shared_core const& core);
  void pool_has_drained(shared_core const& core);
  void watch_drain(shared_core const& core);
  void enter(shared_core const& core, pool_state phase);
  void then_after(std::chrono::milliseconds time, shared_core const& core, step next);
  void finish(shared_core const& core, pool_state reached);

  control_strand on_;
  std::atomic<std::uint64_t> next_id_{0};

  // Touched on the strand only.
  boost::asio::steady_timer timer_;
  std::uint64_t timers_set_ = 0;
  std::map<std::uint64_t, std::unique_ptr<shutdown_waiter>> waiting_;
  std::vector<phase_hook> hooks_;
  shutdown_options times_;
  place_in_group place_;
  shutdown_report report_;
  pool_state phase_ = pool_state::running;
  std::chrono::steady_clock::time_point began_;
  bool watching_ = false;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace brigade::detail
