// press: accepts connections until it is told to stop.
//
// Thread safety: after construction, on the service's `control` only.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "network.hpp"
#include "service.hpp"

namespace press {

class listener {
 public:
  /// Opens, binds and listens. Throws `boost::system::system_error` where the system says no.
  listener(service& owner, network& lanes, asio::ip::tcp::endpoint const& where);

  [[nodiscard]] asio::ip::tcp::endpoint local_endpoint() const {
    return acceptor_.local_endpoint();
  }

  /// Accepts and starts connections. An error (no file descriptor is free, say) makes it pause, not
  /// end, and is told of once a minute at the most: whoever comes and goes can make many.
  asio::awaitable<void> run();

  /// Takes in the connections that the system has accepted on our behalf and closes the door.
  void stop();

 private:
  asio::awaitable<void> pause_after(boost::system::error_code failure);

  service& service_;
  network& network_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  bool stopped_ = false;
  std::chrono::steady_clock::time_point silent_until_{};  // of failures that have been told of
};

}  // namespace press
