// 13. Permits: a slot first, the job later.
//
// A consumer that reserves a slot before it takes a message off its queue never holds one that it
// cannot work on: what is not taken stays in the queue, for somebody else.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <exception>
#include <string>
#include <utility>

namespace asio = boost::asio;

// Where the messages come from; another program's queue, say.
struct mailbox {
  std::deque<std::string> letters{"one", "two", "three", "four", "five"};

  std::string take() {
    auto letter = std::move(letters.front());
    letters.pop_front();
    return letter;
  }
};

asio::awaitable<void> consume(brigade::worker_pool& pool, mailbox& from, std::atomic<int>& sizes) {
  while (!from.letters.empty()) {
    auto slot = co_await pool.async_reserve(asio::use_awaitable);  // waits in line
    auto job = [letter = from.take(), &sizes] { sizes += static_cast<int>(letter.size()); };
    if (slot.post(std::move(job))) co_return;  // the pool has been stopped
  }
}

int main() {
  asio::io_context context;
  brigade::worker_pool pool{{.threads = 2, .capacity = 2}};
  mailbox letters;
  std::atomic<int> sizes = 0;
  asio::co_spawn(context, consume(pool, letters, sizes), asio::detached);
  context.run();

  // At once, or not at all; and given back if the reason for it goes away.
  pool.async_drain(asio::detached);
  auto const late = pool.try_reserve();
  fmt::print("after the close: {}\n", late.error() == brigade::errc::closed);
  pool.join();
  fmt::print("letters left: {}, length of those read: {}\n", letters.letters.size(), sizes.load());

  brigade::worker_pool other{{.threads = 1, .capacity = 1}};
  {
    auto const slot = other.try_reserve();
    fmt::print("held: {}, room for another: {}\n", slot.has_value(),
               other.try_reserve().has_value());
  }
  fmt::print("given back: {}\n", other.try_reserve().has_value());
}

// Output:
//   after the close: true
//   letters left: 0, length of those read: 19
//   held: true, room for another: false
//   given back: true
