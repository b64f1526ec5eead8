// 6. Gather: results come back through a channel, as Go programs gather those of a worker pool.
//
//   go:       results := make(chan page, 4)     brigade:  a concurrent_channel that holds four
//             for each name { go fetch(name) }            a coroutine job for each name
//             for range names { <-results }               co_await results.async_receive()
//
// The channel is bounded as the pool is: a job whose result nobody has taken yet is suspended in
// async_send(). It holds its slot, so that a slow reader fills the pool, and it holds no worker.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;

struct page {
  std::string_view name;
  std::size_t words = 0;
};

using channel = asio::experimental::concurrent_channel<void(boost::system::error_code, page)>;

constexpr std::string_view library[] = {"a short one", "one that is a little longer", "brief"};

std::size_t count_words(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
}

asio::awaitable<void> gather(brigade::worker_pool& pool) {
  // Shared with the jobs: the last of them may still be on its way out of async_send() when its
  // result is here already.
  auto const results = std::make_shared<channel>(co_await asio::this_coro::executor, 4);

  std::size_t expected = 0;
  for (auto const text : library) {
    // A coroutine's parameters and the callable itself are kept until it has ended, so captures are
    // safe to use after a co_await.
    auto job = [results, text]() -> asio::awaitable<void> {
      page counted{text, count_words(text)};
      co_await results->async_send({}, counted, asio::use_awaitable);
    };
    pool.async_submit(job, asio::detached);
    ++expected;
  }

  // In the order in which they are done.
  std::vector<page> pages;
  while (pages.size() != expected) {
    pages.push_back(co_await results->async_receive(asio::use_awaitable));
  }

  std::sort(pages.begin(), pages.end(), [](auto& a, auto& b) { return a.words < b.words; });
  for (auto const& each : pages) fmt::print("{} words: {}\n", each.words, each.name);
}

int main() {
  asio::io_context context;
  brigade::worker_pool pool{{.threads = 2, .capacity = 16, .name = "gather"}};
  asio::co_spawn(context, gather(pool), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  context.run();
}

// Output:
//   1 words: brief
//   3 words: a short one
//   6 words: one that is a little longer
