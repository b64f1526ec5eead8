// Outstanding work on a host's executor, so that the host's run() does not return while a
// completion is on its way to it from another thread. A queued job needs none: the turn that will
// take it is the host's work. Who takes it away from that turn, to complete it from outside, holds
// some first.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <mutex>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>

namespace brigade::detail {

/// Counted, and let go of at once when the host's context goes: from then on there is nothing that
/// could be held.
class host_work {
 public:
  /// Call with the host alive, or after let_go().
  void add(boost::asio::any_io_executor const& host) {
    std::lock_guard const lock(mutex_);
    if (gone_) return;
    if (holders_ == 0) {
      work_ = boost::asio::prefer(host, boost::asio::execution::outstanding_work.tracked);
    }
    ++holders_;
  }
  void remove() noexcept {
    std::lock_guard const lock(mutex_);
    if (!gone_ && --holders_ == 0) work_ = {};
  }
  void let_go() noexcept {
    std::lock_guard const lock(mutex_);
    gone_ = true;
    work_ = {};
  }

 private:
  std::mutex mutex_;
  boost::asio::any_io_executor work_;
  unsigned holders_ = 0;
  bool gone_ = false;
};

}  // namespace brigade::detail
