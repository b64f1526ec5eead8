// Cancelling one job through its handler's cancellation slot.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using asio::cancellation_type;
using brigade::to_error_code;

namespace {

// What the handlers of cancellable jobs were told.
struct tally {
  std::atomic<int> aborted{0};
  std::atomic<int> good{0};
  std::atomic<int> other{0};

  void operator()(std::exception_ptr const& failure) {
    auto const why = to_error_code(failure);
    (!why ? good : why == asio::error::operation_aborted ? aborted : other).fetch_add(1);
  }
  [[nodiscard]] int all() const { return aborted + good + other; }
};

auto into(tally& told) {
  return [&told](std::exception_ptr failure) { told(failure); };
}

template <class Handler>
auto cancellable(asio::cancellation_signal& signal, asio::any_io_executor where, Handler handler) {
  return asio::bind_cancellation_slot(signal.slot(),
                                      asio::bind_executor(where, std::move(handler)));
}

}  // namespace

TEST_CASE("a cancelled queued job never runs, and its slot and its verdict do not wait",
          "[contract][cancellation]") {
  auto const type = GENERATE(cancellation_type::terminal, cancellation_type::partial,
                             cancellation_type::total, cancellation_type::all);
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  asio::cancellation_signal signal;
  tally told;
  std::atomic<bool> ran{false};
  auto const tell = [&] { return cancellable(signal, home.get_executor(), into(told)); };
  auto const function = [&] { ran = true; };
  auto const stoppable = [&](std::stop_token) { ran = true; };
  auto const coroutine = [&]() -> asio::awaitable<void> {
    ran = true;
    co_return;
  };
  SECTION("a function") { pool.async_submit(function, tell()); }
  SECTION("a function that takes a stop token") { pool.async_submit(stoppable, tell()); }
  SECTION("a coroutine") { pool.async_submit(coroutine, tell()); }
  CHECK(pool.metrics().queued_jobs == 1);
  CHECK(pool.try_post([] {}) == brigade::errc::queue_full);
  signal.emit(type);
  CHECK(told.all() == 0);  // not inside emit(): it runs on its executor
  CHECK(pool.metrics().cancelled == 1);
  CHECK(pool.metrics().queued_jobs == 0);
  std::promise<void> next;
  CHECK_FALSE(pool.try_post([&] { next.set_value(); }));  // it has the slot now
  home.run();
  CHECK(told.aborted == 1);
  CHECK(gate.waiting() == 1);  // and all that with the only worker stuck
  gate.open();
  next.get_future().get();
  pool.join();
  CHECK_FALSE(ran);
  CHECK(told.all() == 1);
}

TEST_CASE("an emission of type none cancels nothing", "[contract][cancellation]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  asio::cancellation_signal signal;
  tally told;
  pool.async_submit([] {}, cancellable(signal, home.get_executor(), into(told)));
  signal.emit(cancellation_type::none);
  CHECK(pool.metrics().queued_jobs == 1);
  gate.open();
  home.run();
  CHECK(told.good == 1);
  pool.join();
}

TEST_CASE("cancelling before the submission, after the completion or after a refusal is harmless",
          "[contract][cancellation]") {
  asio::io_context home;
  asio::cancellation_signal signal;
  tally told;
  auto const job = [] {};
  auto const stoppable = [](std::stop_token) {};
  auto const coroutine = []() -> asio::awaitable<void> { co_return; };
  {
    brigade::worker_pool pool{{.threads = 1}};
    auto const submit_all = [&] {
      int expected = told.all();
      auto const one = [&](auto const& work) {
        signal.emit(cancellation_type::all);
        pool.async_submit(work, cancellable(signal, home.get_executor(), into(told)));
        home.run();
        home.restart();
        CHECK(told.all() == ++expected);
        signal.emit(cancellation_type::all);
        signal.emit(cancellation_type::terminal);
      };
      one(job);
      one(stoppable);
      one(coroutine);
    };
    submit_all();
    CHECK(told.good == 3);
    pool.close();
    submit_all();
    CHECK(told.other == 3);
    CHECK(pool.metrics().cancelled == 0);
  }
  signal.emit(cancellation_type::all);  // the pool has gone
  CHECK(told.all() == 6);
}

TEST_CASE("a second cancellation of the same job has no effect", "[contract][cancellation]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  asio::cancellation_signal signal;
  tally told;
  pool.async_submit([] {}, cancellable(signal, home.get_executor(), into(told)));
  for (int i = 0; i != 5; ++i) signal.emit(cancellation_type::terminal);
  home.run();
  CHECK(told.aborted == 1);
  CHECK(pool.metrics().cancelled == 1);
  gate.open();
  pool.join();
  CHECK(pool.metrics().cancelled == 1);
}

TEST_CASE("a running job that takes a stop token is asked to stop and gives what it returns",
          "[contract][cancellation]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::cancellation_signal signal;
  std::promise<void> started;
  std::promise<std::pair<brigade::error_code, int>> told;
  pool.async_submit(
      [&](std::stop_token stop) {
        started.set_value();
        return test::wait_until([&] { return stop.stop_requested(); }) ? 7 : 0;
      },
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr failure, int result) {
        told.set_value({to_error_code(failure), result});
      }));
  started.get_future().get();
  signal.emit(cancellation_type::partial);
  auto const [why, result] = told.get_future().get();
  CHECK_FALSE(why);
  CHECK(result == 7);
  pool.join();
  CHECK(pool.metrics().completed == 1);
  CHECK(pool.metrics().cancelled == 0);
}

TEST_CASE("a running job that takes no stop token is left alone", "[contract][cancellation]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  asio::cancellation_signal signal;
  std::promise<std::pair<brigade::error_code, int>> told;
  pool.async_submit(
      [&] {
        gate.wait();
        return 7;
      },
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr failure, int result) {
        told.set_value({to_error_code(failure), result});
      }));
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  signal.emit(cancellation_type::terminal);
  CHECK(pool.metrics().running_jobs == 1);
  gate.open();
  auto const [why, result] = told.get_future().get();
  CHECK_FALSE(why);
  CHECK(result == 7);
  pool.join();
  CHECK(pool.metrics().completed == 1);
}

TEST_CASE("ten thousand cancelled jobs behind a stuck worker cost no slot and no order",
          "[contract][cancellation]") {
  constexpr int rounds = 10'000;
  brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::io_context home;
  std::deque<asio::cancellation_signal> signals;
  tally told;
  tally kept;
  std::atomic<int> ran_cancelled{0};
  std::vector<int> order;  // one worker: no race
  int refused = 0;

  auto const keep = [&](int number) {
    pool.async_submit([&order, number] { order.push_back(number); },
                      asio::bind_executor(home, into(kept)));
  };
  keep(0);  // at the front of the queue all the time
  for (int round = 1; round <= rounds; ++round) {
    if (round % (rounds / 5) == 0) keep(round);
    auto& signal = signals.emplace_back();
    auto const before = pool.metrics().rejected.queue_full;
    pool.async_submit([&] { ran_cancelled.fetch_add(1); },
                      cancellable(signal, home.get_executor(), into(told)));
    refused += pool.metrics().rejected.queue_full != before;
    signal.emit(cancellation_type::terminal);
  }
  CHECK(refused == 0);
  auto const now = pool.metrics();
  CHECK(now.cancelled == rounds);
  CHECK(now.queued_jobs == 6);
  CHECK(now.running_jobs == 1);
  // Seven in flight: exactly one slot is left.
  CHECK_FALSE(pool.try_post([&] { order.push_back(-1); }));
  CHECK(pool.try_post([] {}) == brigade::errc::queue_full);

  gate.open();
  pool.join();
  home.run();
  CHECK(order == std::vector<int>{0, rounds / 5, 2 * rounds / 5, 3 * rounds / 5, 4 * rounds / 5,
                                  rounds, -1});
  CHECK(ran_cancelled == 0);
  CHECK(told.aborted == rounds);
  CHECK(told.all() == rounds);
  CHECK(kept.good == 6);
}

TEST_CASE("the jobs between cancelled ones run in their order", "[contract][cancellation]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 101}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::deque<asio::cancellation_signal> signals(100);
  tally told;
  std::vector<int> order;
  std::vector<int> expected;
  for (int i = 0; i != 100; ++i) {
    pool.async_submit(
        [&order, i] { order.push_back(i); },
        asio::bind_cancellation_slot(signals[static_cast<std::size_t>(i)].slot(), into(told)));
  }
  for (int i = 99; i >= 0; --i) {
    if (i % 3 != 1) signals[static_cast<std::size_t>(i)].emit(cancellation_type::total);
  }
  for (int i = 1; i < 100; i += 3) expected.push_back(i);
  gate.open();
  pool.join();
  CHECK(order == expected);
  CHECK(told.good == static_cast<int>(expected.size()));
  CHECK(told.aborted == 100 - static_cast<int>(expected.size()));
}

TEST_CASE("a job is either run or cancelled where both race for it", "[contract][cancellation]") {
  constexpr int rounds = 10'000;
  brigade::worker_pool pool{{.threads = 2, .capacity = 64}};
  std::deque<asio::cancellation_signal> signals;
  tally told;
  std::atomic<int> ran{0};
  for (int round = 0; round != rounds; ++round) {
    auto& signal = signals.emplace_back();
    auto const tell = [&] { return asio::bind_cancellation_slot(signal.slot(), into(told)); };
    // Room for it is certain: what cannot be refused must be run or cancelled.
    if (!test::wait_until([&] { return told.all() > round - 32; })) break;
    if (round % 2 == 0) {
      pool.async_submit([&] { ran.fetch_add(1); }, tell());
    } else {
      pool.async_submit([&](std::stop_token) { ran.fetch_add(1); }, tell());
    }
    signal.emit(cancellation_type::terminal);
  }
  pool.join();
  CHECK(told.all() == rounds);
  CHECK(told.good == ran);
  CHECK(told.other == 0);
  auto const now = pool.metrics();
  CHECK(now.completed == static_cast<std::uint64_t>(ran));
  CHECK(now.cancelled == static_cast<std::uint64_t>(told.aborted));
}

// Found by a storm under valgrind; the address sanitizer tells of it, too.
TEST_CASE("a signal may outlive the pool, whatever became of the coroutine that it was for",
          "[contract][cancellation]") {
  std::deque<asio::cancellation_signal> signals;
  tally told;
  auto const coroutine = []() -> asio::awaitable<void> { co_return; };
  {
    brigade::worker_pool pool{{.threads = 1, .capacity = 3}};
    auto const submit = [&](brigade::submit_options const& options) {
      pool.async_submit(coroutine, options,
                        asio::bind_cancellation_slot(signals.emplace_back().slot(), into(told)));
    };
    test::blocker gate;
    REQUIRE(gate.occupy(pool, 1));
    submit({});
    submit({.start_by = brigade::clock::now()});  // expires
    REQUIRE(test::wait_until([&] { return pool.metrics().expired == 1; }));
    submit({});
    submit({});                                             // refused
    submit({.when_full = brigade::overflow::drop_oldest});  // the first one is dropped
    submit({.when_full = brigade::overflow::wait});         // stands in line until the end
    signals[2].emit(cancellation_type::terminal);           // cancelled
    pool.stop();                                            // ends what is left
    gate.open();
    pool.join();
    CHECK(test::wait_until([&] { return told.all() == 6; }));
  }
  signals.clear();
}
