// SPDX-License-Identifier: BSL-1.0
#include "listener.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <tuple>

#ifdef __linux__
#include <linux/filter.h>
#include <sys/socket.h>
#endif

#include "connection.hpp"
#include "limits.hpp"

namespace press {

using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// From here on the system ignores whoever wants to connect, instead of queueing connections that
/// closing the acceptor would reset. Who is ignored tries again after a second and is refused; who
/// has been let in already, and has only to say that it knows, is heard.
void ignore_newcomers([[maybe_unused]] tcp::acceptor& acceptor) {
#ifdef __linux__
  constexpr std::uint32_t flags = 13;  // where they are in a TCP header
  constexpr std::uint32_t syn = 0x02;
  constexpr std::uint32_t all_of_it = 0xffffffff;
  sock_filter drop_syn[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags),
                            BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, syn, 0, 1),
                            BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, all_of_it)};
  sock_fprog const program{std::size(drop_syn), drop_syn};
  // Where this fails there is still only the moment between the last accept and the close.
  std::ignore =
      setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
#endif
}

}  // namespace

listener::listener(service& owner, network& lanes, tcp::endpoint const& where)
    : service_(owner), network_(lanes), acceptor_(owner.control), pause_(owner.control) {
  acceptor_.open(where.protocol());
  acceptor_.set_option(tcp::acceptor::reuse_address{true});
  acceptor_.bind(where);
  acceptor_.listen();
}

asio::awaitable<void> listener::run() {
  constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
  while (!stopped_) {
    auto lane = network_.next();
    auto accepted = co_await acceptor_.async_accept(lane, use_tuple);
    auto& [failure, socket] = accepted;
    if (!failure) {
      connection::start(service_, std::move(socket));
    } else if (!stopped_) {
      co_await pause_after(failure);
    }
  }
}

asio::awaitable<void> listener::pause_after(error_code failure) {
  service_.http.accept_errors.fetch_add(1);
  auto const now = std::chrono::steady_clock::now();
  if (now >= silent_until_) {
    fmt::print(stderr, "press: cannot accept a connection: {}\n", failure.message());
    silent_until_ = now + accept_silence;
  }
  pause_.expires_after(accept_pause);
  co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
}

void listener::stop() {
  stopped_ = true;
  pause_.cancel();
  ignore_newcomers(acceptor_);
  error_code failure;
  acceptor_.non_blocking(true, failure);
  while (!failure) {
    auto socket = acceptor_.accept(network_.next(), failure);
    if (!failure) connection::start(service_, std::move(socket));
  }
  acceptor_.close(failure);
}

}  // namespace press
