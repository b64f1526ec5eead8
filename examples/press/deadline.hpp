// press: cancels what a socket is waiting for once it has waited too long.
//
// Beast's own tcp_stream closes the socket when time is up; here it stays open, so that the client
// can be told. Asio cancels only what is pending just then, and of an operation made up of several
// reads none may be: so it is cancelled again and again until there is another deadline, or none.
//
// Thread safety: on the socket's executor only, which is one thread or a strand.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

namespace press {

namespace asio = boost::asio;

class deadline {
 public:
  explicit deadline(asio::ip::tcp::socket& socket)
      : socket_(socket), timer_(socket.get_executor()) {}

  /// Replaces the deadline there was. `owner` is what keeps this object and the socket alive.
  void set(std::chrono::milliseconds time, std::weak_ptr<void> owner) {
    passed_ = false;
    cancel_after(time, std::move(owner));
  }

  void clear() {
    passed_ = false;
    timer_.expires_at(asio::steady_timer::time_point::max());
  }

  /// Whether the last deadline set is why an operation was cancelled.
  [[nodiscard]] bool passed() const noexcept { return passed_; }

 private:
  static constexpr std::chrono::milliseconds again{10};

  void cancel_after(std::chrono::milliseconds time, std::weak_ptr<void> owner) {
    timer_.expires_after(time);
    timer_.async_wait([this, owner = std::move(owner)](boost::system::error_code cancelled) {
      auto const alive = owner.lock();
      if (cancelled || !alive || timer_.expiry() > asio::steady_timer::clock_type::now()) return;
      passed_ = true;
      boost::system::error_code ignored;
      socket_.cancel(ignored);
      cancel_after(again, owner);
    });
  }

  asio::ip::tcp::socket& socket_;
  asio::steady_timer timer_;
  bool passed_ = false;
};

}  // namespace press
