// SPDX-License-Identifier: BSL-1.0
#include <brigade/http.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include <brigade/worker_pool.hpp>

#include "session.hpp"
#include "thread.hpp"

namespace brigade {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds accept_pause{100};  // after one could not be accepted
constexpr std::chrono::seconds last_answers{1};         // for answers under way when it ends

void check_positive(char const* option, std::chrono::milliseconds time) {
  if (time.count() > 0) return;
  throw std::invalid_argument(
      fmt::format("brigade::http_options::{}: {} ms; give more than 0", option, time.count()));
}

http_options checked(http_options options) {
  if (options.max_connections == 0) {
    throw std::invalid_argument("brigade::http_options::max_connections: 0; give at least 1");
  }
  check_positive("idle_timeout", options.idle_timeout);
  check_positive("read_timeout", options.read_timeout);
  check_positive("write_timeout", options.write_timeout);
  return options;
}

tcp::endpoint endpoint_of(http_options const& options) {
  error_code failure;
  auto const address = asio::ip::make_address(options.address, failure);
  if (failure) {
    throw std::invalid_argument(
        fmt::format("brigade::http_options::address: '{}' is no IP address; give one such as "
                    "127.0.0.1, 0.0.0.0 or ::1",
                    options.address));
  }
  return {address, options.port};
}

tcp::acceptor listen(asio::io_context& context, tcp::endpoint const& where) {
  try {
    return tcp::acceptor{context,
                         where};  // with reuse_address, so that a restart finds its port free
  } catch (boost::system::system_error const& error) {
    throw boost::system::system_error(
        error.code(), fmt::format("brigade::http_server: cannot listen on {} port {}",
                                  where.address().to_string(), where.port()));
  }
}

}  // namespace

class http_server::impl {
 public:
  explicit impl(http_options options)
      : house_{.content = detail::http_content{options}, .options = checked(std::move(options))},
        acceptor_(listen(context_, endpoint_of(house_.options))),
        local_(acceptor_.local_endpoint()),
        pause_(context_) {
    house_.is_local = local_.address().is_loopback();
    accept();
    thread_ = detail::start_quiet_thread("brigade/http", [this] { run(); });
  }

  ~impl() {
    asio::post(context_, [this] { finish(); });
    thread_.join();
    house_.on_last_gone = nullptr;
  }

  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;

  detail::http_content& content() noexcept { return house_.content; }
  [[nodiscard]] tcp::endpoint const& local() const noexcept { return local_; }

 private:
  void run() noexcept {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (std::exception const& error) {  // no memory, say: that connection is lost
        fmt::print(stderr, "brigade::http_server: {}\n", error.what());
      } catch (...) {
        fmt::print(stderr, "brigade::http_server: a connection threw\n");
      }
    }
  }

  void accept() {
    acceptor_.async_accept([this](error_code failure, tcp::socket socket) {
      if (house_.closing) return;
      if (failure) return accept_later();
      accept_next_behind(std::move(socket));
    });
  }

  // First the next accept, so that whatever the session throws cannot end the listening.
  void accept_next_behind(tcp::socket socket) {
    accept();
    if (house_.sessions.size() >= house_.options.max_connections) house_.sessions.front()->drop();
    std::make_shared<detail::http_session>(std::move(socket), house_)->start();
  }

  // No file descriptor is free, say. Those of connections that only wait can be had.
  void accept_later() {
    if (!house_.sessions.empty()) house_.sessions.front()->drop();
    pause_.expires_after(accept_pause);
    pause_.async_wait([this](error_code) {
      if (!house_.closing) accept();
    });
  }

  void finish() {
    house_.closing = true;
    error_code ignored;
    acceptor_.close(ignored);
    auto const all = house_.sessions;
    for (auto* const session : all) session->finish();
    if (house_.sessions.empty()) return context_.stop();
    house_.on_last_gone = [this] { context_.stop(); };
    pause_.expires_after(last_answers);
    pause_.async_wait([this](error_code) { context_.stop(); });
  }

  detail::http_house house_;  // before the context, whose handlers hold the sessions
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  tcp::endpoint const local_;
  asio::steady_timer pause_;
  std::thread thread_;
};

http_server::http_server(http_options options)
    : impl_(std::make_unique<impl>(std::move(options))) {}

http_server::~http_server() = default;

void http_server::add(worker_pool const& pool) { impl_->content().pools().add(pool); }

void http_server::add(pool_view pool, std::string name) {
  impl_->content().pools().add(std::move(pool), std::move(name));
}

void http_server::add(std::weak_ptr<::prometheus::Collectable> more) {
  impl_->content().add(std::move(more));
}

bool http_server::remove(worker_pool const& pool) { return impl_->content().pools().remove(pool); }

std::uint16_t http_server::port() const noexcept { return impl_->local().port(); }

std::string http_server::url() const {
  auto const& where = impl_->local();
  auto const address = where.address().to_string();
  return where.address().is_v6() ? fmt::format("http://[{}]:{}/", address, where.port())
                                 : fmt::format("http://{}:{}/", address, where.port());
}

}  // namespace brigade
