// press: counts what is going on, and lets one coroutine wait until nothing is.
//
// Thread safety: `enter()` and `leave()` from any thread; `wait_for_none()` on the executor given.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <utility>

namespace press {

namespace asio = boost::asio;

class tally {
 public:
  /// `home`: where the waiting coroutine runs; one thread, or a strand.
  explicit tally(asio::any_io_executor home) : home_(std::move(home)), bell_(home_) {}

  void enter() noexcept { count_.fetch_add(1); }

  /// The last one out rings. It does so at home, so the ring cannot fall between the
  /// waiter's look at the count and its going to sleep.
  void leave() {
    if (count_.fetch_sub(1) == 1) asio::post(home_, [this] { bell_.cancel(); });
  }

  [[nodiscard]] std::size_t count() const noexcept { return count_.load(); }

  /// True once the count is 0; false if it is not by `deadline`.
  asio::awaitable<bool> wait_for_none(std::chrono::steady_clock::time_point deadline) {
    while (count_.load() != 0) {
      bell_.expires_at(deadline);
      auto const result = co_await bell_.async_wait(asio::as_tuple(asio::use_awaitable));
      if (!std::get<0>(result)) co_return count_.load() == 0;
    }
    co_return true;
  }

 private:
  std::atomic<std::size_t> count_{0};
  asio::any_io_executor home_;
  asio::steady_timer bell_;
};

/// Is in a tally for as long as it exists. Move-only.
class tally_entry {
 public:
  explicit tally_entry(tally& where) : where_(&where) { where.enter(); }
  tally_entry(tally_entry&& other) noexcept : where_(std::exchange(other.where_, nullptr)) {}
  tally_entry& operator=(tally_entry&&) = delete;
  ~tally_entry() {
    if (where_ != nullptr) where_->leave();
  }

 private:
  tally* where_;
};

}  // namespace press
