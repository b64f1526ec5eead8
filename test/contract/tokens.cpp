// Every completion token: where its handler runs, what it gives, and what it keeps alive.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <thread>
#include <tuple>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::to_error_code;
using namespace std::chrono_literals;

namespace {

// Runs a coroutine, and whatever it waits for, on this thread.
template <class Body>
void run(asio::io_context& home, Body const& body) {
  std::exception_ptr failure;
  bool ended = false;
  asio::co_spawn(home, body(), [&](std::exception_ptr thrown) {
    failure = thrown;
    ended = true;
  });
  home.run();
  home.restart();
  if (failure) std::rethrow_exception(failure);
  CHECK(ended);
}

int seven() { return 7; }
int throws() { throw std::logic_error("the job's own"); }

}  // namespace

TEST_CASE("a callback is a token", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::promise<int> good;
  pool.async_submit(seven, [&](std::exception_ptr failure, int result) {
    good.set_value(failure ? -1 : result);
  });
  CHECK(good.get_future().get() == 7);
  std::promise<brigade::error_code> bad;
  pool.async_submit(
      throws, [&](std::exception_ptr failure, int) { bad.set_value(to_error_code(failure)); });
  CHECK(bad.get_future().get() == errc::job_failed);
}

TEST_CASE("use_future gives the result, the exception or the refusal", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  CHECK(pool.async_submit(seven, asio::use_future).get() == 7);
  CHECK_THROWS_AS(pool.async_submit(throws, asio::use_future).get(), std::logic_error);
  pool.close();
  auto refused = pool.async_submit(seven, asio::use_future);
  CHECK_THROWS_AS(refused.get(), boost::system::system_error);
}

TEST_CASE("use_awaitable resumes where the coroutine lives", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::io_context home;
  auto const here = std::this_thread::get_id();
  auto const body = [&]() -> asio::awaitable<void> {
    CHECK(co_await pool.async_submit(seven, asio::use_awaitable) == 7);
    CHECK(std::this_thread::get_id() == here);
    CHECK_THROWS_AS(co_await pool.async_submit(throws, asio::use_awaitable), std::logic_error);
    CHECK(std::this_thread::get_id() == here);
  };
  run(home, body);
}

TEST_CASE("as_tuple gives the exception as a value", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::io_context home;
  auto const body = [&]() -> asio::awaitable<void> {
    auto const good = co_await pool.async_submit(seven, asio::as_tuple(asio::use_awaitable));
    CHECK(std::get<0>(good) == nullptr);
    CHECK(std::get<1>(good) == 7);
    auto const bad = co_await pool.async_submit(throws, asio::as_tuple(asio::deferred));
    CHECK(to_error_code(std::get<0>(bad)) == errc::job_failed);
    CHECK(std::get<1>(bad) == 0);
  };
  run(home, body);
}

TEST_CASE("a deferred job is submitted when its operation is started", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto operation = pool.async_submit(seven, asio::deferred);
  CHECK(pool.metrics().admitted == 0);
  std::promise<int> told;
  std::move(operation)([&](std::exception_ptr, int result) { told.set_value(result); });
  CHECK(told.get_future().get() == 7);
  CHECK(pool.metrics().admitted == 1);

  asio::io_context home;
  auto const body = [&]() -> asio::awaitable<void> {  // without a result it can be awaited as it is
    co_await pool.async_submit([] {}, asio::deferred);
  };
  CHECK_NOTHROW(run(home, body));
}

TEST_CASE("a detached job runs", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::atomic<int> ran{0};
  pool.async_submit([&] { ran.fetch_add(1); }, asio::detached);
  pool.async_submit(
      [&] {
        ran.fetch_add(1);
        return std::make_unique<int>(1);
      },
      asio::detached);
  pool.join();
  CHECK(ran == 2);
}

TEST_CASE("bind_executor to a strand of the pool completes in that strand", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 2}};
  auto strand = asio::make_strand(pool.get_executor());
  std::atomic<int> told{0};
  std::atomic<int> outside{0};
  int unguarded = 0;  // what the strand protects
  for (int i = 0; i != 500; ++i) {
    pool.async_submit([] {}, asio::bind_executor(strand, [&](std::exception_ptr) {
                        if (!strand.running_in_this_thread()) outside.fetch_add(1);
                        ++unguarded;
                        told.fetch_add(1);
                      }));
  }
  pool.join();
  CHECK(told == 500);
  CHECK(unguarded == 500);
  CHECK(outside == 0);
}

TEST_CASE("bind_executor to another context completes there", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 2}};
  asio::io_context home;
  auto strand = asio::make_strand(home);
  int told = 0;
  auto const here = [&](std::exception_ptr) {
    if (home.get_executor().running_in_this_thread()) ++told;
  };
  auto const in_strand = [&](std::exception_ptr) {
    if (strand.running_in_this_thread()) ++told;
  };
  pool.async_submit([] {}, asio::bind_executor(home, here));
  pool.async_submit([] {}, asio::bind_executor(strand, in_strand));
  pool.async_submit([] {}, asio::bind_executor(asio::any_io_executor(strand), in_strand));
  home.run();
  CHECK(told == 3);
}

TEST_CASE("another context's run() does not return before the completion", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  asio::io_context home;
  bool told = false;
  auto const tell = [&](std::exception_ptr) { told = true; };
  auto const plain = [&] { gate.wait(); };
  auto const stoppable = [&](std::stop_token) { gate.wait(); };
  auto const coroutine = [&]() -> asio::awaitable<void> {
    gate.wait();
    co_return;
  };
  SECTION("of a function") { pool.async_submit(plain, asio::bind_executor(home, tell)); }
  SECTION("of a stoppable function") {
    pool.async_submit(stoppable, asio::bind_executor(home, tell));
  }
  SECTION("of a coroutine") { pool.async_submit(coroutine, asio::bind_executor(home, tell)); }
  SECTION("of a drain") {
    CHECK(gate.occupy(pool, 1));
    pool.async_drain(asio::bind_executor(home, [&](brigade::error_code) { told = true; }));
  }
  home.poll();  // would end the context for good if it had nothing to wait for
  CHECK_FALSE(home.stopped());
  CHECK_FALSE(told);
  gate.open();
  home.run();
  CHECK(told);
  pool.join();
}

TEST_CASE("bind_allocator gives the operation its memory", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  alignas(std::max_align_t) static char memory[4096];
  std::pmr::monotonic_buffer_resource arena(memory, sizeof memory,
                                            std::pmr::null_memory_resource());
  bool in_arena = false;
  struct large {
    bool* in_arena;
    char ballast[256] = {};
    void operator()() {
      auto const* const self = reinterpret_cast<char const*>(this);
      *in_arena = self >= memory && self < memory + sizeof memory;
    }
  };
  std::promise<void> told;
  pool.async_submit(large{&in_arena},
                    asio::bind_allocator(std::pmr::polymorphic_allocator<char>(&arena),
                                         [&](std::exception_ptr) { told.set_value(); }));
  told.get_future().get();
  CHECK(in_arena);
}

TEST_CASE("bind_cancellation_slot connects a signal, through any other adapter",
          "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  CHECK(gate.occupy(pool, 1));
  asio::cancellation_signal inner;
  asio::cancellation_signal outer;
  asio::io_context home;
  int aborted = 0;
  auto const tell = [&](std::exception_ptr failure, int) {
    aborted += to_error_code(failure) == asio::error::operation_aborted;
  };
  pool.async_submit(seven,
                    asio::bind_cancellation_slot(inner.slot(), asio::bind_executor(home, tell)));
  pool.async_submit(seven,
                    asio::bind_executor(home, asio::bind_cancellation_slot(outer.slot(), tell)));
  inner.emit(asio::cancellation_type::total);
  outer.emit(asio::cancellation_type::terminal);
  home.run();
  CHECK(aborted == 2);
  CHECK(gate.waiting() == 1);
  gate.open();
  pool.join();
}

TEST_CASE("any_completion_handler is a handler", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::io_context home;
  int result = 0;
  bool at_home = false;
  asio::any_completion_handler<void(std::exception_ptr, int)> bound =
      asio::bind_executor(home, [&](std::exception_ptr, int given) {
        result = given;
        at_home = home.get_executor().running_in_this_thread();
      });
  pool.async_submit(seven, std::move(bound));
  home.run();
  CHECK(result == 7);
  CHECK(at_home);
  pool.close();  // a refusal takes another way to the handler
  asio::any_completion_handler<void(std::exception_ptr, int)> refused =
      asio::bind_executor(home, [&](std::exception_ptr failure, int) {
        result = to_error_code(failure) == errc::closed ? 8 : 0;
      });
  home.restart();
  pool.async_submit(seven, std::move(refused));
  home.run();
  CHECK(result == 8);
}

TEST_CASE("any_completion_handler of an ended pool is called all the same", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::promise<brigade::error_code> unbound;
  std::promise<brigade::error_code> bound;
  auto const telling = [](std::promise<brigade::error_code>& promise) {
    return
        [&promise](std::exception_ptr failure, int) { promise.set_value(to_error_code(failure)); };
  };
  pool.join();
  using handler = asio::any_completion_handler<void(std::exception_ptr, int)>;
  pool.async_submit(seven, handler(telling(unbound)));
  pool.async_submit(seven, handler(asio::bind_executor(pool.get_executor(), telling(bound))));
  CHECK(unbound.get_future().get() == errc::closed);
  CHECK(bound.get_future().get() == errc::closed);
}

TEST_CASE("redirect_error takes the error of a drain", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::io_context home;
  auto const body = [&]() -> asio::awaitable<void> {
    brigade::error_code error = asio::error::would_block;
    co_await pool.async_drain(asio::redirect_error(asio::use_awaitable, error));
    CHECK_FALSE(error);
  };
  run(home, body);
}

TEST_CASE("the || of awaitable_operators cancels a queued job that a timer outruns",
          "[contract][tokens]") {
  using namespace asio::experimental::awaitable_operators;
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  test::blocker gate;
  CHECK(gate.occupy(pool, 1));
  asio::io_context home;
  std::atomic<bool> ran{false};
  auto const body = [&]() -> asio::awaitable<void> {
    auto const job = [&] { ran = true; };
    asio::steady_timer soon(home, 1ms);
    auto const first = co_await (pool.async_submit(job, asio::use_awaitable) ||
                                 soon.async_wait(asio::use_awaitable));
    CHECK(first.index() == 1);
    CHECK(pool.metrics().cancelled == 1);
    CHECK(pool.metrics().queued_jobs == 0);
  };
  run(home, body);
  gate.open();
  pool.join();
  CHECK_FALSE(ran);
}

TEST_CASE("the || of awaitable_operators gives the job that is first, && gives both",
          "[contract][tokens]") {
  using namespace asio::experimental::awaitable_operators;
  brigade::worker_pool pool{{.threads = 2}};
  asio::io_context home;
  auto const body = [&]() -> asio::awaitable<void> {
    asio::steady_timer never(home, asio::steady_timer::time_point::max());
    auto const first = co_await (pool.async_submit(seven, asio::use_awaitable) ||
                                 never.async_wait(asio::use_awaitable));
    REQUIRE(first.index() == 0);
    CHECK(std::get<0>(first) == 7);
    auto const word = [] { return std::string("word"); };
    auto const both = co_await (pool.async_submit(seven, asio::use_awaitable) &&
                                pool.async_submit(word, asio::use_awaitable));
    CHECK(both == std::tuple(7, std::string("word")));
  };
  run(home, body);
}

TEST_CASE("make_parallel_group runs jobs side by side", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 2}};
  test::blocker gate;
  asio::io_context home;
  std::optional<int> sum;
  asio::experimental::make_parallel_group(pool.async_submit(seven, asio::deferred),
                                          pool.async_submit(seven, asio::deferred))
      .async_wait(asio::experimental::wait_for_all(),
                  asio::bind_executor(
                      home, [&](std::array<std::size_t, 2>, std::exception_ptr a, int x,
                                std::exception_ptr b, int y) { sum = !a && !b ? x + y : -1; }));
  home.run();
  CHECK(sum == 14);
}

TEST_CASE("make_parallel_group with wait_for_one cancels the queued job", "[contract][tokens]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  CHECK(gate.occupy(pool, 1));
  asio::io_context home;
  asio::steady_timer now(home, asio::steady_timer::time_point::min());
  brigade::error_code why;
  asio::experimental::make_parallel_group(pool.async_submit(seven, asio::deferred),
                                          now.async_wait(asio::deferred))
      .async_wait(
          asio::experimental::wait_for_one(),
          asio::bind_executor(home, [&](std::array<std::size_t, 2>, std::exception_ptr job, int,
                                        brigade::error_code) { why = to_error_code(job); }));
  std::thread runner([&] { home.run(); });
  CHECK(test::wait_until([&] { return pool.metrics().cancelled == 1; }));
  gate.open();
  runner.join();
  CHECK(why == asio::error::operation_aborted);
  pool.join();
}
