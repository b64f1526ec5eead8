// async_run_until_signal, with signals that this process sends to itself. What ends a process is
// tested in test/process.
// SPDX-License-Identifier: BSL-1.0
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::error_code;
using brigade::pool_state;
using namespace std::chrono_literals;

namespace {

std::atomic<int> own_handler_ran{0};
extern "C" void own_handler(int) { own_handler_ran.fetch_add(1); }

void send(int signal) { REQUIRE(::kill(::getpid(), signal) == 0); }

// The phases in the order in which they came.
class phases {
 public:
  auto hook() {
    return [this](pool_state state) {
      std::lock_guard const lock(mutex_);
      seen_.push_back(state);
    };
  }
  [[nodiscard]] std::vector<pool_state> seen() {
    std::lock_guard const lock(mutex_);
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::vector<pool_state> seen_;
};

}  // namespace

TEST_CASE("the first signal drains the pool, and the old handler is back afterwards",
          "[contract][signals]") {
  ::signal(SIGUSR1, own_handler);
  phases told;
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto ended = async_run_until_signal(
      pool, {.signals = {SIGUSR1}, .lame_duck = 1ms, .on_phase = told.hook()}, asio::use_future);
  send(SIGUSR1);
  REQUIRE(test::wait_until([&] { return pool.state() == pool_state::draining; }));
  gate.open();
  auto const report = ended.get();
  CHECK(report.signal == SIGUSR1);
  CHECK(report.reached == pool_state::stopped);
  CHECK(report.completed == 1);
  CHECK(report.exit_code() == 0);
  CHECK(told.seen() ==
        std::vector{pool_state::lame_duck, pool_state::draining, pool_state::stopped});
  CHECK(own_handler_ran == 0);
  send(SIGUSR1);
  CHECK(test::wait_until([] { return own_handler_ran == 1; }));
  ::signal(SIGUSR1, SIG_DFL);
}

TEST_CASE("the second signal cancels, with every worker busy", "[contract][signals]") {
  ::signal(SIGUSR1, SIG_IGN);
  phases told;
  brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto queued = pool.async_submit([] {}, asio::use_future);
  auto ended = async_run_until_signal(
      pool, {.signals = {SIGUSR1}, .drain = 24h, .cancel = 24h, .on_phase = told.hook()},
      asio::use_future);
  send(SIGUSR1);
  REQUIRE(test::wait_until([&] { return pool.state() == pool_state::draining; }));
  send(SIGUSR1);
  CHECK_THROWS_AS(queued.get(), boost::system::system_error);
  CHECK(pool.state() == pool_state::cancelling);
  gate.open();
  auto const report = ended.get();
  CHECK(report.reached == pool_state::stopped);
  CHECK(report.cancelled == 1);
  CHECK(report.exit_code() == 1);
  CHECK(told.seen() ==
        std::vector{pool_state::draining, pool_state::cancelling, pool_state::stopped});
  struct sigaction now {};
  ::sigaction(SIGUSR1, nullptr, &now);
  CHECK(now.sa_handler == SIG_IGN);
  ::signal(SIGUSR1, SIG_DFL);
}

TEST_CASE("a pool that ends without a signal ends the wait for one", "[contract][signals]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto ended = async_run_until_signal(pool, {.signals = {SIGUSR1}}, asio::use_future);
  pool.close();
  auto const report = ended.get();
  CHECK(report.signal == 0);
  CHECK(report.reached == pool_state::stopped);
}

TEST_CASE("several pools may wait for the same signal", "[contract][signals]") {
  ::signal(SIGUSR1, own_handler);
  auto const before = own_handler_ran.load();
  brigade::worker_pool one{{.threads = 1}};
  brigade::worker_pool other{{.threads = 1}};
  auto first = async_run_until_signal(one, {.signals = {SIGUSR1}}, asio::use_future);
  auto second = async_run_until_signal(other, {.signals = {SIGUSR1}}, asio::use_future);
  one.close();
  CHECK(first.get().signal == 0);
  send(SIGUSR1);
  CHECK(second.get().signal == SIGUSR1);
  CHECK(own_handler_ran == before);
  send(SIGUSR1);
  CHECK(test::wait_until([&] { return own_handler_ran == before + 1; }));
  ::signal(SIGUSR1, SIG_DFL);
}

TEST_CASE("a cancelled wait lets the signals go", "[contract][signals]") {
  ::signal(SIGUSR1, own_handler);
  auto const before = own_handler_ran.load();
  brigade::worker_pool pool{{.threads = 1}};
  asio::io_context context;
  asio::cancellation_signal cancel;
  error_code result;
  async_run_until_signal(pool, {.signals = {SIGUSR1}},
                         asio::bind_cancellation_slot(
                             cancel.slot(), asio::bind_executor(context, [&](error_code why, auto) {
                               result = why;
                             })));
  cancel.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(result == asio::error::operation_aborted);
  send(SIGUSR1);
  CHECK(test::wait_until([&] { return own_handler_ran == before + 1; }));
  CHECK(pool.state() == pool_state::running);
  ::signal(SIGUSR1, SIG_DFL);
}

TEST_CASE("a signal that every thread of the program has blocked is caught all the same",
          "[contract][signals]") {
  sigset_t usr1;
  sigset_t before;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &usr1, &before);
  brigade::worker_pool pool{{.threads = 1}};
  auto ended = async_run_until_signal(pool, {.signals = {SIGUSR1}}, asio::use_future);
  send(SIGUSR1);
  CHECK(ended.get().signal == SIGUSR1);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("a signal for dumps prints what the pool does, and ends nothing", "[contract][signals]") {
  std::mutex mutex;
  std::vector<brigade::pool_dump> dumps;
  brigade::worker_pool pool{{.threads = 1, .capacity = 4, .name = "asked"}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto ended = async_run_until_signal(pool,
                                      {.signals = {SIGUSR1},
                                       .dump_on = SIGUSR2,
                                       .on_dump =
                                           [&](brigade::pool_dump const& dump) {
                                             std::lock_guard const lock(mutex);
                                             dumps.push_back(dump);
                                           }},
                                      asio::use_future);
  auto const seen = [&] {
    std::lock_guard const lock(mutex);
    return dumps.size();
  };
  send(SIGUSR2);
  REQUIRE(test::wait_until([&] { return seen() == 1; }));
  send(SIGUSR1);
  REQUIRE(test::wait_until([&] { return pool.state() == pool_state::draining; }));
  send(SIGUSR2);  // while it ends, too
  REQUIRE(test::wait_until([&] { return seen() == 2; }));
  gate.open();
  CHECK(ended.get().reached == pool_state::stopped);
  CHECK(dumps[0].pool == "asked");
  CHECK(dumps[0].metrics.state == pool_state::running);
  CHECK(dumps[0].running.size() == 1);
  CHECK(dumps[1].metrics.state == pool_state::draining);
  struct sigaction now {};
  ::sigaction(SIGUSR2, nullptr, &now);
  CHECK(now.sa_handler == SIG_DFL);
}

TEST_CASE("a signal for dumps is none of those that end the pool, and can be caught",
          "[contract][signals]") {
  brigade::worker_pool pool{{.threads = 1}};
  CHECK_THROWS_AS(
      async_run_until_signal(pool, {.signals = {SIGUSR1}, .dump_on = SIGUSR1}, asio::detached),
      std::invalid_argument);
  std::string said;
  try {
    async_run_until_signal(pool, {.signals = {SIGUSR1}, .dump_on = SIGKILL}, asio::detached);
  } catch (boost::system::system_error const& error) {
    said = error.what();
  }
  CHECK(said.find("dump_on: cannot catch signal 9") != std::string::npos);
}

TEST_CASE("a host's own signal_set may be used", "[contract][signals]") {
  phases told;
  asio::io_context host;
  asio::signal_set signals{host, SIGUSR1, SIGUSR2};
  brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] {}));
  int dumps = 0;
  brigade::shutdown_report report;
  async_run_until_signal(pool, signals,
                         {.drain = 24h,
                          .cancel = 24h,
                          .on_phase = told.hook(),
                          .dump_on = SIGUSR2,
                          .on_dump = [&](auto const&) { ++dumps; }},
                         asio::bind_executor(host, [&](error_code result, auto const& how) {
                           CHECK_FALSE(result);
                           report = how;
                         }));
  send(SIGUSR2);
  send(SIGUSR1);
  std::thread other([&] {
    static_cast<void>(test::wait_until([&] { return pool.state() == pool_state::draining; }));
    ::kill(::getpid(), SIGUSR1);
    static_cast<void>(test::wait_until([&] { return pool.state() == pool_state::cancelling; }));
    gate.open();
  });
  host.run();  // returns when it has been told: nothing waits on the set any more
  other.join();
  CHECK(report.signal == SIGUSR1);
  CHECK(report.reached == pool_state::stopped);
  CHECK(report.cancelled == 1);
  CHECK(dumps == 1);
  CHECK(told.seen() ==
        std::vector{pool_state::draining, pool_state::cancelling, pool_state::stopped});

  // The set is the host's as before.
  host.restart();
  int caught = 0;
  signals.async_wait([&](error_code, int signal) { caught = signal; });
  send(SIGUSR1);
  host.run();
  CHECK(caught == SIGUSR1);
}

TEST_CASE("with a host's signal_set the wait ends where the pool does, or where it is cancelled",
          "[contract][signals]") {
  asio::io_context host;
  brigade::worker_pool pool{{.threads = 1}};
  error_code result;
  int told = 0;
  auto on_end = asio::bind_executor(host, [&](error_code why, auto const&) {
    result = why;
    ++told;
  });
  {
    asio::signal_set signals{host, SIGUSR1};
    asio::cancellation_signal cancel;
    async_run_until_signal(pool, signals, {}, asio::bind_cancellation_slot(cancel.slot(), on_end));
    cancel.emit(asio::cancellation_type::terminal);
    host.run();
    CHECK(result == asio::error::operation_aborted);
    host.restart();
    async_run_until_signal(pool, signals, {}, on_end);
    host.poll();
    signals.cancel();
    host.run();
    CHECK(result == asio::error::operation_aborted);
    CHECK(told == 2);
  }
  {
    // The handler destroys the set.
    auto signals = std::make_unique<asio::signal_set>(host, SIGUSR1);
    auto& set = *signals;
    async_run_until_signal(pool, set, {}, [&](error_code why, auto const&) {
      result = why;
      ++told;
      signals.reset();
    });
    pool.close();
    host.restart();
    host.run();
    REQUIRE(test::wait_until([&] { return pool.state() == pool_state::stopped; }));
    pool.join();
    CHECK_FALSE(result);
    CHECK(told == 3);
    CHECK(signals == nullptr);
  }
}

TEST_CASE("a phase is not told to whoever has ceased to wait", "[contract][signals]") {
  phases told;
  brigade::worker_pool pool{{.threads = 1}};
  asio::io_context context;
  asio::cancellation_signal cancel;
  async_run_until_signal(
      pool, {.signals = {SIGUSR1}, .on_phase = told.hook()},
      asio::bind_cancellation_slot(cancel.slot(), asio::bind_executor(context, [](auto, auto) {})));
  cancel.emit(asio::cancellation_type::terminal);
  context.run();
  CHECK(pool.async_shutdown({}, asio::use_future).get().reached == pool_state::stopped);
  CHECK(told.seen().empty());
}

TEST_CASE("a signal_set behind the pool's own jobs is refused", "[contract][signals]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::signal_set signals{pool.get_executor(), SIGUSR1};
  CHECK_THROWS_AS(async_run_until_signal(pool, signals, {}, asio::detached), std::invalid_argument);
  CHECK(pool.state() == pool_state::running);
}

TEST_CASE("the pool may be destroyed while a signal is awaited", "[contract][signals]") {
  ::signal(SIGUSR1, own_handler);
  auto const before = own_handler_ran.load();
  std::future<brigade::shutdown_report> ended;
  {
    brigade::worker_pool pool{{.threads = 1}};
    ended = async_run_until_signal(pool, {.signals = {SIGUSR1}}, asio::use_future);
  }
  CHECK(ended.get().signal == 0);
  send(SIGUSR1);
  CHECK(test::wait_until([&] { return own_handler_ran == before + 1; }));
  ::signal(SIGUSR1, SIG_DFL);

  asio::io_context host;
  asio::signal_set signals{host, SIGUSR1};
  std::promise<brigade::shutdown_report> told;
  {
    brigade::worker_pool pool{{.threads = 1}};
    async_run_until_signal(pool, signals, {},
                           [&](error_code, auto const& report) { told.set_value(report); });
  }
  host.run();
  CHECK(told.get_future().get().reached == pool_state::stopped);
}

TEST_CASE("workers leave the signals that end a process to others", "[contract][signals]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto const blocked = [] {
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    return ::sigismember(&mask, SIGTERM) == 1 && ::sigismember(&mask, SIGINT) == 1;
  };
  CHECK(pool.async_submit(blocked, asio::use_future).get());
  CHECK_FALSE(blocked());
}

TEST_CASE("a hook that throws is contained, and the shutdown goes on", "[contract][signals]") {
  std::atomic<int> reported{0};
  brigade::worker_pool pool{
      {.threads = 1, .on_handler_error = [&](std::exception_ptr) { reported.fetch_add(1); }}};
  auto ended = async_run_until_signal(
      pool,
      {.signals = {SIGUSR1},
       .on_phase = [](pool_state) { throw std::runtime_error("on purpose"); }},
      asio::use_future);
  send(SIGUSR1);
  CHECK(ended.get().reached == pool_state::stopped);
  CHECK(reported == 2);  // draining, stopped
}

TEST_CASE("signals that cannot be caught are refused, with their number", "[contract][signals]") {
  brigade::worker_pool pool{{.threads = 1}};
  CHECK_THROWS_AS(async_run_until_signal(pool, {.signals = {}}, asio::detached),
                  std::invalid_argument);
  CHECK_THROWS_AS(async_run_until_signal(pool, {.drain = -1ms}, asio::detached),
                  std::invalid_argument);
  std::string said;
  try {
    async_run_until_signal(pool, {.signals = {SIGUSR1, SIGKILL}}, asio::detached);
  } catch (boost::system::system_error const& error) {
    said = error.what();
  }
  CHECK(said.find("signal 9") != std::string::npos);
  struct sigaction now {};
  ::sigaction(SIGUSR1, nullptr, &now);
  CHECK(now.sa_handler == SIG_DFL);
  CHECK(pool.state() == pool_state::running);
}
