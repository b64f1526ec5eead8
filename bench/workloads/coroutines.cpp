// Coroutines that await one job after another, on the pool itself and on another io_context.
// SPDX-License-Identifier: BSL-1.0
#include <latch>

#include <fmt/core.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;

int answer() { return 42; }
asio::awaitable<int> answer_later() { co_return 42; }

asio::awaitable<void> await_jobs(brigade::worker_pool& pool, long jobs) {
  for (long i = 0; i != jobs; ++i) co_await pool.async_submit(&answer, asio::use_awaitable);
}

asio::awaitable<void> await_spawned(asio::thread_pool& pool, long jobs) {
  for (long i = 0; i != jobs; ++i) co_await asio::co_spawn(pool, answer_later, asio::use_awaitable);
}

// No job and no result: the way through Asio's queue alone.
asio::awaitable<void> await_posts(asio::thread_pool& pool, long posts) {
  auto const executor = pool.get_executor();
  for (long i = 0; i != posts; ++i) co_await asio::post(executor, asio::use_awaitable);
}

// Spawns the coroutines on the pool, or on a context that this thread runs. The thread that waits
// for those on the pool sleeps: the workers need its core.
template <class Make, class Executor>
double run_all(long coroutines, long jobs, Make make, Executor pool, bool on_pool) {
  auto const each = jobs / coroutines;
  asio::io_context home(1);
  std::latch running(coroutines);
  auto const ended = [&running](std::exception_ptr) { running.count_down(); };
  auto const begin = clock::now();
  for (long i = 0; i != coroutines; ++i) {
    if (on_pool) {
      asio::co_spawn(pool, make(each), ended);
    } else {
      asio::co_spawn(home, make(each), ended);
    }
  }
  home.run();
  running.wait();
  return nanoseconds_since(begin) / static_cast<double>(each * coroutines);
}

double with_brigade(unsigned workers, long coroutines, long jobs, bool on_pool) {
  brigade_pool peer(workers, 1024);
  return run_all(
      coroutines, jobs, [&](long each) { return await_jobs(peer.pool, each); },
      peer.pool.get_executor(), on_pool);
}

double with_asio(unsigned workers, long coroutines, long jobs, bool on_pool) {
  asio::thread_pool pool(workers);
  return run_all(
      coroutines, jobs, [&](long each) { return await_spawned(pool, each); }, pool.get_executor(),
      on_pool);
}

double with_posts(unsigned workers, long coroutines, long posts) {
  asio::thread_pool pool(workers);
  return run_all(
      coroutines, posts, [&](long each) { return await_posts(pool, each); }, pool.get_executor(),
      true);
}

}  // namespace

std::vector<contest> coroutines(settings const& with) {
  std::vector<contest> all;
  auto const jobs = with.scaled(100'000);
  for (bool const on_pool : {true, false}) {
    for (long const count : {1L, 64L}) {
      for (unsigned const workers : {1U, 2U}) {
        all.push_back({"coroutines",
                       fmt::format("{} {}, {} workers", count,
                                   on_pool ? "on the pool" : "from another io_context", workers),
                       {"ns/job"},
                       {{"brigade", [=] { return with_brigade(workers, count, jobs, on_pool); }},
                        {"co_spawn on asio::thread_pool",
                         [=] { return with_asio(workers, count, jobs, on_pool); }}}});
        if (on_pool) {
          all.back().contestants.push_back(
              {"limit: asio::post awaited", [=] { return with_posts(workers, count, jobs); }});
        }
      }
    }
  }
  return all;
}

}  // namespace bench
