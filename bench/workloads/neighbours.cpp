// What else runs on the pool's io_context: how late a timer and an echo are while jobs flood the
// pool.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "clock.hpp"
#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

double p99(std::vector<double>& delays) {
  std::sort(delays.begin(), delays.end());
  return delays.at(delays.size() * 99 / 100);
}

// Keeps a pool full of jobs of a microsecond until it is destroyed.
class flooding {
 public:
  template <class Pool>
  explicit flooding(Pool& peer)
      : thread_([&peer](std::stop_token const& stop) {
          auto const job = [] { burn(std::chrono::microseconds(1)); };
          while (!stop.stop_requested()) {
            retry_until_taken([&] { return peer.try_post(job) || stop.stop_requested(); });
          }
        }) {}

 private:
  std::jthread thread_;
};

// The p99 of how many microseconds after 1 ms the handler of a timer runs.
template <class Pool>
double timer_delay(unsigned workers, int rounds) {
  Pool peer(workers, 1024);
  flooding const jobs(peer);
  asio::steady_timer timer(peer.executor());
  std::vector<double> delays;
  std::atomic<bool> ended{false};
  std::function<void()> const wait = [&] {
    timer.expires_after(std::chrono::milliseconds(1));
    timer.async_wait([&](auto) {
      delays.push_back(nanoseconds_since(timer.expiry()) / 1e3);
      if (delays.size() == static_cast<std::size_t>(rounds)) {
        ended = true;
        ended.notify_all();
      } else {
        wait();
      }
    });
  };
  wait();
  ended.wait(false);
  return p99(delays);
}

// The same where there is neither a pool nor a reactor: as many threads, which ask the clock between
// their jobs whether the millisecond is over.
double asked_between_jobs(unsigned workers, int rounds) {
  using rep = clock::rep;
  constexpr rep millisecond = 1'000'000;
  auto const now = [] { return clock::now().time_since_epoch().count(); };
  std::vector<double> delays;
  std::atomic<bool> ended{false};
  std::atomic<rep> due{now() + millisecond};
  {
    std::vector<std::jthread> threads;
    for (unsigned w = 0; w != workers; ++w) {
      threads.emplace_back([&] {
        while (!ended) {
          burn(std::chrono::microseconds(100));
          auto expiry = due.load();
          if (now() < expiry || !due.compare_exchange_strong(
                                    expiry, clock::time_point::max().time_since_epoch().count()))
            continue;
          delays.push_back(static_cast<double>(now() - expiry) / 1e3);
          if (delays.size() == static_cast<std::size_t>(rounds)) ended = true;
          due = now() + millisecond;
        }
      });
    }
    retry_until_taken([&] { return ended.load(); });  // as a submitter does
  }
  return p99(delays);
}

// The p99 of a byte's way to an echo on the pool's io_context and back, in microseconds.
template <class Pool>
double echo_delay(unsigned workers, int rounds) {
  Pool peer(workers, 1024);
  tcp::acceptor acceptor(peer.executor(), {asio::ip::address_v4::loopback(), 0});
  asio::io_context home;
  tcp::socket client(home);
  client.connect(acceptor.local_endpoint());
  auto server = acceptor.accept();
  client.set_option(tcp::no_delay(true));
  server.set_option(tcp::no_delay(true));
  char echoed = 0;
  std::atomic<bool> gone{false};
  std::function<void()> const echo = [&] {
    server.async_read_some(asio::buffer(&echoed, 1), [&](auto error, std::size_t) {
      if (error) {
        gone = true;
        gone.notify_all();
        return;
      }
      asio::write(server, asio::buffer(&echoed, 1));
      echo();
    });
  };
  echo();
  std::vector<double> delays;
  {
    flooding const jobs(peer);
    for (int i = 0; i != rounds; ++i) {
      char byte = 'x';
      auto const begin = clock::now();
      asio::write(client, asio::buffer(&byte, 1));
      asio::read(client, asio::buffer(&byte, 1));
      delays.push_back(nanoseconds_since(begin) / 1e3);
    }
  }
  client.close();
  gone.wait(false);
  return p99(delays);
}

}  // namespace

std::vector<contest> neighbours(settings const& with) {
  std::vector<contest> all;
  auto const rounds = static_cast<int>(with.scaled(1'000));
  for (unsigned const workers : {1U, 2U}) {
    all.push_back(
        {"neighbours",
         fmt::format("a 1 ms timer's delay under flood, {} workers", workers),
         {"us, p99"},
         {{brigade_pool::name, [=] { return timer_delay<brigade_pool>(workers, rounds); }},
          {counted_context::name, [=] { return timer_delay<counted_context>(workers, rounds); }},
          {"limit: asked between jobs", [=] { return asked_between_jobs(workers, rounds); }}}});
    all.push_back(
        {"neighbours",
         fmt::format("an echo there and back under flood, {} workers", workers),
         {"us, p99"},
         {{brigade_pool::name, [=] { return echo_delay<brigade_pool>(workers, rounds); }},
          {counted_context::name, [=] { return echo_delay<counted_context>(workers, rounds); }}}});
  }
  return all;
}

}  // namespace bench
