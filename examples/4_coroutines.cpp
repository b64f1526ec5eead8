// 4. Coroutines: co_await a job from a coroutine, and a job that is a coroutine.
//
// The caller's coroutine lives on an io_context of its own. It is suspended while the job runs on
// the pool, and resumed where it was: no thread is kept waiting, and no lock is needed.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace asio = boost::asio;
using channel = asio::experimental::concurrent_channel<void(boost::system::error_code, int)>;

asio::awaitable<void> functions(brigade::worker_pool& pool) {
  auto const here = std::this_thread::get_id();

  // GCC 12 destroys the captures of a lambda twice if the lambda is written inside of the co_await
  // expression. So a job that captures anything by value is given a name first.
  auto job = [text = std::string("a job on the pool")] { return text.size(); };
  auto const size = co_await pool.async_submit(std::move(job), asio::use_awaitable);
  fmt::print("the job counts {} letters; back in the caller's thread: {}\n", size,
             std::this_thread::get_id() == here);

  // as_tuple gives the failure as a value. It is kept in a variable, and its parts are taken by
  // std::get: GCC 15 leaks what `auto [failure, value] = co_await ...` binds.
  auto failing = []() -> int { throw std::runtime_error("no"); };
  auto const result = co_await pool.async_submit(failing, asio::as_tuple(asio::use_awaitable));
  fmt::print("a job that throws: {}\n", brigade::to_error_code(std::get<0>(result)).message());
}

asio::awaitable<void> coroutine_jobs(brigade::worker_pool& pool) {
  using namespace asio::experimental::awaitable_operators;
  channel letters{pool.get_executor()};

  // Two jobs on one worker, the first of which waits for the second. As plain functions they would
  // be stuck for ever. A coroutine job that waits holds its slot, and no thread.
  auto receive = [&letters]() -> asio::awaitable<int> {
    co_return co_await letters.async_receive(asio::use_awaitable);
  };
  auto send = [&letters]() -> asio::awaitable<void> {
    co_await letters.async_send({}, 42, asio::use_awaitable);
  };
  auto received = pool.async_submit(receive, asio::use_awaitable);
  auto sent = pool.async_submit(send, asio::use_awaitable);
  fmt::print("one job has sent {} to the other\n",
             co_await (std::move(received) && std::move(sent)));
}

int main() {
  asio::io_context context;
  brigade::worker_pool pool{{.threads = 1, .name = "coroutines"}};

  auto const rethrow = [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  };
  asio::co_spawn(context, functions(pool), rethrow);
  context.run();
  context.restart();
  asio::co_spawn(context, coroutine_jobs(pool), rethrow);
  context.run();
}

// Output:
//   the job counts 17 letters; back in the caller's thread: true
//   a job that throws: the job threw an exception
//   one job has sent 42 to the other
