// What a pool without work takes of the processor.
// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <csignal>
#include <ctime>
#include <thread>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "peers/pools.hpp"
#include "workload.hpp"

namespace bench {
namespace {

// Percent of one core, after the pool has had work and time to go to sleep.
double processor_use(std::chrono::milliseconds length) {
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  auto const begin = std::clock();
  std::this_thread::sleep_for(length);
  auto const seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  return 100 * seconds / std::chrono::duration<double>(length).count();
}

template <class Pool>
double idling(std::chrono::milliseconds length) {
  Pool pool(2, 1024);
  static_cast<void>(pool.try_post([] {}));
  auto const used = processor_use(length);
  pool.finish();
  return used;
}

double with_signals_and_timer(std::chrono::milliseconds length) {
  brigade_pool peer(2, 1024);
  static_cast<void>(peer.try_post([] {}));
  boost::asio::signal_set signals(peer.pool.get_executor(), SIGUSR1);
  signals.async_wait([](auto, int) {});
  boost::asio::steady_timer timer(peer.pool.get_executor(), std::chrono::hours(1));
  timer.async_wait([](auto) {});
  auto const used = processor_use(length);
  signals.cancel();
  timer.cancel();
  return used;
}

}  // namespace

std::vector<contest> idle(settings const& with) {
  std::chrono::milliseconds const length{with.scaled(2'000)};
  return {{"idle",
           "2 workers",
           {"% of a core"},
           {{brigade_pool::name, [=] { return idling<brigade_pool>(length); }},
            {"brigade, signal_set and timer", [=] { return with_signals_and_timer(length); }},
            {asio_thread_pool::name, [=] { return idling<asio_thread_pool>(length); }},
            {tbb_arena::name, [=] { return idling<tbb_arena>(length); }}}}};
}

}  // namespace bench
