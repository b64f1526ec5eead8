// Cancelling at each point of a job's way: before it is submitted, while it waits for a slot, while
// it is queued, while it runs, and when it is over; by each way in and with each type.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <atomic>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/token_kinds.hpp"
#include "support/wait_until.hpp"
#include "support/way_in.hpp"

namespace asio = boost::asio;
using asio::cancellation_type;
using brigade::overflow;
using test::room;

namespace {

constexpr std::array all_types{cancellation_type::terminal, cancellation_type::partial,
                               cancellation_type::total};

std::vector<test::way_in> ways_to_be_queued() {
  auto const never = brigade::clock::time_point::max();
  return {
      {"reject", room::some, {}},
      {"wait", room::some, {.when_full = overflow::wait}},
      {"caller_runs", room::some, {.when_full = overflow::caller_runs}},
      {"drop_oldest", room::none, {.when_full = overflow::drop_oldest}},
      {"with a permit", room::none, {}, {}, true},
      {"in a lower lane", room::some, {.lane = 1}},
      {"by a far time", room::some, {.start_by = never}},
  };
}

// The kinds of jobs.
struct function {
  static auto job(std::atomic<int>& ran) {
    return [&ran] { return ran.fetch_add(1) + 7; };
  }
};
struct stoppable {
  static auto job(std::atomic<int>& ran) {
    return [&ran](std::stop_token) { return ran.fetch_add(1) + 7; };
  }
};
struct coroutine {
  static auto job(std::atomic<int>& ran) {
    return [&ran]() -> asio::awaitable<int> { co_return ran.fetch_add(1) + 7; };
  }
};

/// Whether the kind of job may come that way.
template <class Kind>
bool fits(test::way_in const& way) {
  return !std::is_same_v<Kind, coroutine> || way.options.when_full != overflow::caller_runs;
}

template <class Token, class Job>
void begin(test::home& home, test::way_in const& way, test::occupied_pool& at, Job const& job) {
  if (way.by_permit) {
    Token::begin(home, [&](auto&& token) {
      return at.permit.async_submit(job, way.options, std::forward<decltype(token)>(token));
    });
  } else {
    Token::begin(home, [&](auto&& token) {
      return at.pool.async_submit(job, way.options, std::forward<decltype(token)>(token));
    });
  }
}

/// Ends the pool; every job but the cancelled ones has run.
void check_books(test::occupied_pool& at, std::uint64_t cancelled, std::uint64_t shed = 0) {
  at.gate.open();
  at.pool.join();
  auto const m = at.pool.metrics();
  CHECK(m.admitted == m.completed + cancelled + shed);
  CHECK(m.cancelled == cancelled);
  CHECK(m.shed == shed);
  CHECK(m.queued_jobs + m.running_jobs + m.waiting + m.permits == 0);
}

}  // namespace

TEMPLATE_TEST_CASE("a queued job that is cancelled never runs, whatever its way in",
                   "[contract][ways_in][cancellation]", function, stoppable, coroutine) {
  for (auto const& way : ways_to_be_queued()) {
    for (auto const type : all_types) {
      if (!fits<TestType>(way)) continue;
      INFO(way.name << ", type " << static_cast<int>(type));
      std::atomic<int> ran{0};
      test::occupied_pool at{way};
      REQUIRE(at.ready());
      test::home home{at.pool};
      begin<test::with_slot>(home, way, at, TestType::job(ran));
      auto const before = at.pool.metrics();
      home.signal.emit(type);
      CHECK(home.told.times == 0);  // not inside emit()
      auto const after = at.pool.metrics();
      CHECK(after.cancelled == 1);
      CHECK(after.queued_jobs == before.queued_jobs - 1);  // at once, with the worker stuck
      CHECK(home.until_told());
      CHECK(home.told.why == asio::error::operation_aborted);
      check_books(at, 1, way.left == room::none && !way.by_permit ? 1 : 0);
      CHECK(ran == 0);
      CHECK(home.told.times == 1);
    }
  }
}

TEMPLATE_TEST_CASE("operators on awaitables and groups cancel a job by any way in",
                   "[contract][ways_in][cancellation]", test::or_timer, test::in_group) {
  auto ways = ways_to_be_queued();
  ways.push_back({"wait, when full", room::none, {.when_full = overflow::wait}});
  for (auto const& way : ways) {
    INFO(way.name);
    bool const in_line = way.left == room::none && way.options.when_full == overflow::wait;
    std::atomic<int> ran{0};
    test::occupied_pool at{way};
    REQUIRE(at.ready());
    test::home home{at.pool};
    begin<TestType>(home, way, at, function::job(ran));
    TestType::cancel(home, cancellation_type::terminal);
    CHECK(home.until_told());
    CHECK(home.told.why == asio::error::operation_aborted);
    check_books(at, in_line ? 0 : 1, way.options.when_full == overflow::drop_oldest ? 1 : 0);
    CHECK(at.pool.metrics().rejected.cancelled == (in_line ? 1U : 0U));
    CHECK(ran == 0);
  }
}

TEMPLATE_TEST_CASE("a job that is cancelled while it waits in line was never admitted",
                   "[contract][ways_in][cancellation]", function, stoppable, coroutine) {
  for (auto const lane : {0U, 1U}) {
    for (auto const type : all_types) {
      test::way_in const way{"wait", room::none, {.when_full = overflow::wait, .lane = lane}};
      std::atomic<int> ran{0};
      test::occupied_pool at{way};
      REQUIRE(at.ready());
      auto const admitted = at.pool.metrics().admitted;
      test::home first{at.pool};
      test::home second{at.pool};
      begin<test::with_slot>(first, way, at, TestType::job(ran));
      begin<test::with_slot>(second, way, at, TestType::job(ran));
      first.signal.emit(type);
      CHECK(first.until_told());
      CHECK(first.told.why == asio::error::operation_aborted);
      CHECK(test::wait_until([&] { return at.pool.metrics().waiting == 1; }));
      CHECK(at.pool.metrics().admitted == admitted);
      CHECK(at.pool.metrics().rejected.cancelled == 1);
      at.gate.open();
      CHECK(second.until_told());  // who stood behind is served all the same
      CHECK(second.told.result == 7);
      check_books(at, 0);
      CHECK(ran == 1);
      CHECK(first.told.times == 1);
    }
  }
}

TEST_CASE("a wait for a slot is left when it is cancelled", "[contract][ways_in][cancellation]") {
  test::way_in const way{"wait", room::none, {}};
  for (auto const type : all_types) {
    test::occupied_pool at{way};
    REQUIRE(at.ready());
    test::home home{at.pool};
    test::with_slot::begin(home, [&](auto&& token) {
      return at.pool.async_reserve(std::forward<decltype(token)>(token));
    });
    home.signal.emit(type);
    CHECK(home.until_told());
    CHECK(home.told.why == asio::error::operation_aborted);
    CHECK(home.told.result == 0);
    check_books(at, 0);
    CHECK(at.pool.metrics().rejected.cancelled == 1);
    home.signal.emit(type);  // over: nothing
    CHECK(home.told.times == 1);
  }
}

TEMPLATE_TEST_CASE("cancelling before the submission, and after the end, does nothing",
                   "[contract][ways_in][cancellation]", function, stoppable, coroutine) {
  auto ways = ways_to_be_queued();
  ways.push_back({"wait, when full", room::none, {.when_full = overflow::wait}});
  for (auto const& way : ways) {
    for (auto const type : all_types) {
      if (!fits<TestType>(way)) continue;
      INFO(way.name << ", type " << static_cast<int>(type));
      std::atomic<int> ran{0};
      test::occupied_pool at{way};
      REQUIRE(at.ready());
      test::home home{at.pool};
      home.signal.emit(type);
      begin<test::with_slot>(home, way, at, TestType::job(ran));
      at.gate.open();
      CHECK(home.until_told());
      home.signal.emit(type);
      CHECK(home.told.why == brigade::error_code{});
      CHECK(home.told.result == 7);
      check_books(at, 0, way.options.when_full == overflow::drop_oldest ? 1 : 0);
      CHECK(ran == 1);
      CHECK(home.told.times == 1);
    }
  }
}

TEST_CASE("a running job is asked to stop, whatever its way in",
          "[contract][ways_in][cancellation]") {
  auto ways = ways_to_be_queued();
  ways.push_back({"wait, when full", room::none, {.when_full = overflow::wait}});
  for (auto const& way : ways) {
    for (auto const type : all_types) {
      INFO(way.name << ", type " << static_cast<int>(type));
      std::atomic<int> running{0};
      test::occupied_pool at{way};
      REQUIRE(at.ready());
      test::home home{at.pool};
      auto const job = [&running](std::stop_token stop) {
        running = 1;
        return test::wait_until([&] { return stop.stop_requested(); }) ? 7 : 0;
      };
      begin<test::with_slot>(home, way, at, job);
      at.gate.open();
      CHECK(test::wait_until([&] { return running == 1; }));
      home.signal.emit(type);
      CHECK(home.until_told());
      CHECK(home.told.result == 7);
      check_books(at, 0, way.options.when_full == overflow::drop_oldest ? 1 : 0);
    }
  }
}

TEST_CASE("a job that its caller runs is asked to stop, too", "[contract][ways_in][cancellation]") {
  test::way_in const way{"caller_runs", room::none, {.when_full = overflow::caller_runs}};
  for (auto const type : all_types) {
    test::occupied_pool at{way};
    REQUIRE(at.ready());
    test::home home{at.pool};
    auto const job = [&home, type](std::stop_token stop) {
      home.signal.emit(type);
      return stop.stop_requested() ? 7 : 0;
    };
    begin<test::with_slot>(home, way, at, job);
    CHECK(home.told.times == 0);
    CHECK(home.until_told());
    CHECK(home.told.result == 7);
    check_books(at, 0);
    CHECK(at.pool.metrics().caller_ran == 1);
  }
}

TEST_CASE("a coroutine that is cancelled while it is suspended ends by itself, whatever its way in",
          "[contract][ways_in][cancellation]") {
  auto ways = ways_to_be_queued();
  ways.push_back({"wait, when full", room::none, {.when_full = overflow::wait}});
  for (auto const& way : ways) {
    if (!fits<coroutine>(way)) continue;
    INFO(way.name);
    std::atomic<int> running{0};
    test::occupied_pool at{way};
    REQUIRE(at.ready());
    test::home home{at.pool};
    auto const job = [&running]() -> asio::awaitable<int> {
      asio::steady_timer never{co_await asio::this_coro::executor,
                               asio::steady_timer::time_point::max()};
      running = 1;
      auto const woken = co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
      co_return std::get<0>(woken) == asio::error::operation_aborted ? 7 : 0;
    };
    begin<test::with_slot>(home, way, at, job);
    at.gate.open();
    CHECK(test::wait_until([&] { return running == 1; }));
    home.signal.emit(cancellation_type::terminal);
    CHECK(home.until_told());
    CHECK(home.told.result == 7);
    check_books(at, 0, way.options.when_full == overflow::drop_oldest ? 1 : 0);
  }
}

TEST_CASE("a coroutine is not for its caller to run", "[contract][ways_in]") {
  test::way_in const way{"caller_runs", room::some, {.when_full = overflow::caller_runs}};
  test::occupied_pool at{way};
  std::atomic<int> ran{0};
  CHECK_THROWS_AS(at.pool.async_submit(coroutine::job(ran), way.options, asio::detached),
                  std::invalid_argument);
  check_books(at, 0);
}
