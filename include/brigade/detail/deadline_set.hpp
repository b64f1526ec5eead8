// The deadlines of jobs that have not started, and the one timer that all of them share.
//
// The set is ordered by time and linked through its members, so that adding and removing takes no
// memory. Its lock is held for that alone, never while somebody's code runs. The timer lives on a
// strand of the control context, so that a job expires while every worker is stuck; it is set anew
// only for a deadline that is earlier than the one it waits for.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <mutex>

#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/set.hpp>

#include <brigade/detail/control_context.hpp>
#include <brigade/options.hpp>

namespace brigade::detail {

/// Something that expires. Must have been removed from its set before it is destroyed.
class deadline : public boost::intrusive::set_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::normal_link>> {
 public:
  [[nodiscard]] clock::time_point at() const noexcept { return at_; }

  friend bool operator<(deadline const& a, deadline const& b) noexcept { return a.at_ < b.at_; }

 protected:
  deadline() = default;
  ~deadline() = default;

 private:
  friend class deadline_set;
  /// Called on the control thread, not under the lock, once the time has come.
  virtual void expire() = 0;

  clock::time_point at_;
  // Guarded by the set's lock. No virtual call would do: it may be in the midst of being destroyed.
  std::weak_ptr<void> owner_;
  bool in_set_ = false;  // guarded by the set's lock
};

class deadline_set : public std::enable_shared_from_this<deadline_set> {
 public:
  deadline_set();

  /// `owner` keeps it. Cost: a lock, and a search among the deadlines that are set.
  void add(deadline& one, clock::time_point at, std::weak_ptr<void> owner);
  /// Idempotent. After it expire() is not called any more, unless it is already on its way.
  void remove(deadline& one) noexcept;
  /// The pool is gone, and every deadline with it: the timer need not keep this any longer.
  void forget_timer();

 private:
  // On the strand.
  void set_timer();
  void expire_all();

  control_strand on_;
  boost::asio::steady_timer timer_;  // touched on the strand only

  std::mutex mutex_;
  boost::intrusive::multiset<deadline> by_time_;               // guarded by mutex_
  clock::time_point timer_is_for_ = clock::time_point::max();  // guarded by mutex_
};

}  // namespace brigade::detail
