// 2. Results: what a job returns, or throws, reaches whoever submitted it.
//
// async_submit() takes any of Asio's completion tokens. The completion signature is
// void(std::exception_ptr, R), or void(std::exception_ptr) for a job that returns nothing.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <future>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;

int sum_of(std::vector<int> const& numbers) {
  if (numbers.empty()) throw std::invalid_argument("there is nothing to add");
  return std::accumulate(numbers.begin(), numbers.end(), 0);
}

int main() {
  asio::io_context context;  // declared before the pool, whose handlers run on it
  brigade::worker_pool pool{{.threads = 2, .name = "results"}};

  // A future. get() gives the result.
  std::future<int> sum = pool.async_submit([] { return sum_of({1, 2, 3, 4}); }, asio::use_future);
  fmt::print("the future holds {}\n", sum.get());

  // Or it throws what the job threw, unchanged.
  std::future<int> nothing = pool.async_submit([] { return sum_of({}); }, asio::use_future);
  try {
    nothing.get();
  } catch (std::invalid_argument const&) {
    fmt::print("the future throws std::invalid_argument\n");
  }

  // A callback. Bound to an executor it runs there, here in the main thread: context.run() returns
  // once it has run, because the pool tracks work on the executor until then. An unbound callback
  // would run on the pool.
  auto const show = [](std::exception_ptr failure, std::string text) {
    if (!failure) fmt::print("the callback is given \"{}\"\n", text);
  };
  pool.async_submit([] { return std::string(3, 'z'); }, asio::bind_executor(context, show));
  context.run();

  // A callback that is told of a failure. A verdict of the pool arrives in the same way as the
  // job's own exception; to_error_code() tells them apart without a throw for the pool's verdicts.
  auto const explain = [](std::exception_ptr failure, int) {
    auto const code = brigade::to_error_code(failure);
    fmt::print("job failed: {}, pool closed: {}\n", code == brigade::errc::job_failed,
               code == brigade::errc::closed);
  };
  context.restart();
  pool.async_submit([] { return sum_of({}); }, asio::bind_executor(context, explain));
  context.run();

  pool.close();
  context.restart();
  pool.async_submit([] { return sum_of({1}); }, asio::bind_executor(context, explain));
  context.run();
}

// Output:
//   the future holds 10
//   the future throws std::invalid_argument
//   the callback is given "zzz"
//   job failed: true, pool closed: false
//   job failed: false, pool closed: true
