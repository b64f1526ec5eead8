// 8. Echo: a server whose connections live on one thread and whose work is done by the pool.
//
// A connection is a coroutine on the network's io_context. It never computes: it hands each line to
// the pool and is suspended meanwhile. If the pool is full, it says so at once. The program is its
// own client, and ends when that has had its answers.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <exception>
#include <string>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

std::string shouted(std::string line) {  // stands for something that takes its time
  std::transform(line.begin(), line.end(), line.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return line;
}

asio::awaitable<void> serve(tcp::socket socket, brigade::worker_pool& pool) {
  std::string received;
  for (;;) {
    auto const read = co_await asio::async_read_until(socket, asio::dynamic_buffer(received, 1024),
                                                      '\n', use_tuple);
    if (std::get<0>(read)) co_return;  // the client has gone, or its line is too long
    auto const length = std::get<1>(read);

    // Named, and not written inside of the co_await: GCC 12 would destroy its capture twice.
    auto job = [line = received.substr(0, length)]() mutable { return shouted(std::move(line)); };
    received.erase(0, length);
    auto done = co_await pool.async_submit(std::move(job), use_tuple);
    auto const verdict = brigade::to_error_code(std::get<0>(done));
    auto const answer =
        verdict ? "sorry: " + verdict.message() + "\n" : std::move(std::get<1>(done));

    auto const written = co_await asio::async_write(socket, asio::buffer(answer), use_tuple);
    if (std::get<0>(written)) co_return;
  }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, brigade::worker_pool& pool) {
  for (;;) {
    auto accepted = co_await acceptor.async_accept(use_tuple);
    if (std::get<0>(accepted)) co_return;  // closed
    asio::co_spawn(acceptor.get_executor(), serve(std::move(std::get<1>(accepted)), pool),
                   asio::detached);
  }
}

asio::awaitable<void> be_a_client(tcp::acceptor& acceptor) {
  tcp::socket socket{acceptor.get_executor()};
  co_await socket.async_connect(acceptor.local_endpoint(), asio::use_awaitable);
  std::string const words = "one line\nand another\n";
  co_await asio::async_write(socket, asio::buffer(words), asio::use_awaitable);

  std::string answers;
  for (int lines = 0; lines != 2; ++lines) {
    auto const length = co_await asio::async_read_until(socket, asio::dynamic_buffer(answers), '\n',
                                                        asio::use_awaitable);
    fmt::print("{}", answers.substr(0, length));
    answers.erase(0, length);
  }
  acceptor.close();
}

int main() {
  asio::io_context network{1};
  tcp::acceptor acceptor{network, {asio::ip::address_v4::loopback(), 0}};  // 0: any free port
  brigade::worker_pool pool{{.threads = 2, .capacity = 64, .name = "echo"}};

  asio::co_spawn(network, accept(acceptor, pool), asio::detached);
  asio::co_spawn(network, be_a_client(acceptor), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  network.run();  // until the client has gone and the acceptor is closed
  fmt::print("the pool completed {} jobs\n", pool.metrics().completed);
}

// Output:
//   ONE LINE
//   AND ANOTHER
//   the pool completed 2 jobs
