// 10. Groups: jobs that belong together are awaited and cancelled together, and a bound keeps them
// from taking every worker.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;

struct page {
  std::string name;
  std::vector<page> links;
};

// Jobs may add jobs to their own group: it is awaited until none is left.
void visit(brigade::task_group& group, page const& here, std::atomic<int>& visited) {
  auto const job = [&] {
    visited.fetch_add(1);
    for (auto const& link : here.links) visit(group, link, visited);
  };
  group.async_submit(job, asio::detached);
}

asio::awaitable<void> crawl(brigade::worker_pool& pool, page const& root) {
  std::atomic<int> visited{0};
  brigade::task_group group{pool, {.max_running = 2}};  // two of the four workers, no more
  visit(group, root, visited);
  co_await group.async_wait(asio::use_awaitable);
  fmt::print("visited {} pages\n", visited.load());
}

// All or nothing: the first part that fails cancels the others.
void convert(brigade::worker_pool& pool, int parts, int broken) {
  brigade::task_group group{pool, {.max_running = 1, .cancel_on_failure = true}};
  std::atomic<int> converted{0};
  for (int part = 0; part != parts; ++part) {
    auto const job = [&converted, part, broken] {
      if (part == broken) throw std::runtime_error(fmt::format("part {} is broken", part));
      converted.fetch_add(1);
    };
    group.async_submit(job, asio::detached);
  }
  try {
    group.async_wait(asio::use_future).get();
    fmt::print("converted all {} parts\n", converted.load());
  } catch (std::exception const& failure) {
    auto const seen = group.metrics();
    fmt::print("{}; failed {}, completed or cancelled {}\n", failure.what(), seen.failed,
               seen.completed + seen.cancelled);
  }
}

int main() {
  brigade::worker_pool pool{{.threads = 4, .name = "groups"}};
  asio::io_context context;

  page const root{"/", {{"/a", {{"/a/1", {}}, {"/a/2", {}}}}, {"/b", {}}}};
  asio::co_spawn(context, crawl(pool, root), asio::detached);
  context.run();

  convert(pool, 5, -1);
  convert(pool, 5, 2);
}

// Output:
//   visited 5 pages
//   converted all 5 parts
//   part 2 is broken; failed 1, completed or cancelled 4
