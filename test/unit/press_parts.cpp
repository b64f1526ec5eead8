// What the example service stands on and no request can show reliably.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>

#include "deadline.hpp"
#include "memory_budget.hpp"
#include "pace.hpp"
#include "support/catch.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

/// Reads byte by byte, as an operation made of several does, with no look at the deadline.
asio::awaitable<std::size_t> read_until_cancelled(tcp::socket& socket) {
  for (std::size_t count = 0;; ++count) {
    char byte = 0;
    auto const read = co_await socket.async_read_some(asio::buffer(&byte, 1),
                                                      asio::as_tuple(asio::use_awaitable));
    if (std::get<0>(read)) co_return count;
  }
}

}  // namespace

TEST_CASE("a deadline that passes between two reads of an operation ends it all the same",
          "[unit][press]") {
  asio::io_context context{1};
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  tcp::socket client{context};
  client.connect(acceptor.local_endpoint());
  auto server = acceptor.accept();
  asio::write(client, asio::buffer("three bytes and more, so that reads complete at once"));

  press::deadline deadline{server};
  auto const owner = std::make_shared<int>();
  deadline.set(0ms, owner);
  std::size_t count = 0;
  asio::co_spawn(context, read_until_cancelled(server), [&](std::exception_ptr, std::size_t read) {
    count = read;
    deadline.clear();
  });
  context.run_for(60s);  // which only a failure takes
  CHECK(count > 0);
}

TEST_CASE("a pause may last as long as the patience, and no longer than the pace allows",
          "[unit][press]") {
  auto const began = press::pace::clock::now();
  press::pace const steps{10s, began};
  CHECK(steps.left(0, began) == 10s);
  CHECK(steps.left(0, began + 4s) == 6s);
  CHECK(steps.left(0, began + 11s) == 0s);
  CHECK(steps.left(press::least_rate * 5, began + 11s) == 4s);
  CHECK(steps.left(press::least_rate * 100, began + 11s) == 10s);
}

TEST_CASE("connections share a budget of memory, and give back what they held", "[unit][press]") {
  press::memory_budget budget{100};
  {
    press::memory_share first{budget};
    press::memory_share second{budget};
    CHECK(first.grow_to(60));
    CHECK(first.grow_to(50));
    CHECK_FALSE(second.grow_to(41));
    CHECK(budget.held() == 60);
    CHECK(budget.has_room_for(40));
    CHECK_FALSE(budget.has_room_for(41));
    second.set(70);  // an answer, larger than its body was
    CHECK(budget.held() == 130);
    CHECK_FALSE(budget.has_room_for(0));
    CHECK_FALSE(first.grow_to(61));
    first.set(20);
    CHECK(budget.held() == 90);
    CHECK(second.grow_to(80));
  }
  CHECK(budget.held() == 0);
}
