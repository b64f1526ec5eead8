// 5. Cancellation: a queued job never runs; a running one is asked to stop.
//
// It comes by Asio's own means: the cancellation slot of the handler, which operators on awaitables
// such as || connect for you.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <latch>
#include <stop_token>
#include <thread>

namespace asio = boost::asio;
using namespace std::chrono_literals;

void rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

// Whichever ends first cancels the other: the job, which is still queued, never runs.
asio::awaitable<void> give_up_after(brigade::worker_pool& pool,
                                    std::chrono::milliseconds patience) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer{co_await asio::this_coro::executor, patience};
  auto job = pool.async_submit([] { fmt::print("never printed\n"); }, asio::use_awaitable);
  auto const first = co_await (std::move(job) || timer.async_wait(asio::use_awaitable));
  fmt::print("the timer was first: {}, queued now: {}\n", first.index() == 1,
             pool.metrics().queued_jobs);
}

int main() {
  asio::io_context context;
  std::latch running{1};
  brigade::worker_pool pool{{.threads = 1, .name = "cancel"}};

  // A job that takes a std::stop_token is told through it, and decides for itself what to do. What
  // it returns is its result, as ever.
  asio::cancellation_signal stop_long_job;
  auto const long_job = [&running](std::stop_token stop) {
    running.count_down();
    while (!stop.stop_requested()) std::this_thread::yield();
    return 7;
  };
  auto const on_long_job = [](std::exception_ptr failure, int result) {
    rethrow(failure);
    fmt::print("the running job was asked to stop and returned {}\n", result);
  };
  pool.async_submit(long_job, asio::bind_cancellation_slot(
                                  stop_long_job.slot(), asio::bind_executor(context, on_long_job)));
  running.wait();  // the one worker is busy: what comes now stays in the queue

  // A slot of one's own, connected by hand.
  asio::cancellation_signal drop_job;
  auto const on_drop = [](std::exception_ptr failure) {
    fmt::print("the queued job was cancelled: {}\n",
               brigade::to_error_code(failure) == asio::error::operation_aborted);
  };
  pool.async_submit(
      [] { fmt::print("never printed\n"); },
      asio::bind_cancellation_slot(drop_job.slot(), asio::bind_executor(context, on_drop)));
  drop_job.emit(asio::cancellation_type::terminal);

  // A time limit, by the || of two awaitables; then the long job is asked to stop, too.
  asio::co_spawn(context, give_up_after(pool, 5ms), [&](std::exception_ptr failure) {
    rethrow(failure);
    stop_long_job.emit(asio::cancellation_type::terminal);
  });
  context.run();

  auto const seen = pool.metrics();
  fmt::print("completed {}, cancelled {}\n", seen.completed, seen.cancelled);
}

// Output:
//   the queued job was cancelled: true
//   the timer was first: true, queued now: 0
//   the running job was asked to stop and returned 7
//   completed 1, cancelled 2
