// press: the threads that serve the sockets.
//
// Each runs an io_context of its own, and a connection stays with the one it was given to. So
// nothing here needs a strand, and no coroutine ever resumes on another thread, which is more than
// a matter of taste: Clang up to at least 16 lets a coroutine keep the address of a thread-local
// variable across a suspension, and Asio's recycled memory is found by such an address.
//
// Thread safety: `next()` from any thread; the rest from the one that made it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

namespace press {

namespace asio = boost::asio;

class network {
 public:
  explicit network(unsigned threads);
  ~network();
  network(network const&) = delete;
  network& operator=(network const&) = delete;

  /// The context of the thread that calls `serve()`: signals, accepting and the end belong there.
  [[nodiscard]] asio::io_context& control() noexcept { return lanes_.front(); }

  /// Where the next connection goes: the contexts take turns.
  [[nodiscard]] asio::any_io_executor next();

  /// Starts all threads but one. They inherit the caller's signal mask.
  void start_others();

  /// Serves on the calling thread until `control()` has nothing left to do, then ends the others.
  void serve();

 private:
  using work_guard = asio::executor_work_guard<asio::io_context::executor_type>;

  std::deque<asio::io_context> lanes_;
  std::vector<work_guard> kept_open_;  // all but control(), which ends by itself
  std::atomic<std::size_t> turn_{0};
  std::vector<std::jthread> threads_;
};

}  // namespace press
