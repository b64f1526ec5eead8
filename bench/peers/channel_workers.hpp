// Go's pool, as one writes it with Asio: coroutines that take jobs from a bounded channel.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bench {

class channel_workers {
 public:
  static constexpr auto name = "coroutines on concurrent_channel";
  channel_workers(unsigned workers, std::size_t capacity)
      : context_(static_cast<int>(workers)), jobs_(context_, capacity) {
    for (unsigned i = 0; i != workers; ++i) {
      boost::asio::co_spawn(context_, work(), boost::asio::detached);
    }
    for (unsigned i = 0; i != workers; ++i) threads_.emplace_back([this] { context_.run(); });
  }
  ~channel_workers() { finish(); }

  template <class Job>
  bool try_post(Job const& job) {
    return jobs_.try_send(boost::system::error_code{}, job);
  }
  /// The workers take what is left in the channel before they see that it is closed.
  void finish() {
    jobs_.close();
    threads_.clear();
  }

 private:
  boost::asio::awaitable<void> work() {
    for (;;) {
      auto [error, job] =
          co_await jobs_.async_receive(boost::asio::as_tuple(boost::asio::use_awaitable));
      if (error) co_return;
      job();
    }
  }

  boost::asio::io_context context_;
  boost::asio::experimental::concurrent_channel<void(boost::system::error_code,
                                                     std::function<void()>)>
      jobs_;
  std::vector<std::jthread> threads_;
};

}  // namespace bench
