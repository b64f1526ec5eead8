// Every kind of completion token, each as a type that starts an operation with it and notes what
// came of it. For TEMPLATE_TEST_CASE.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <tuple>
#include <utility>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <brigade/brigade.hpp>

#include "support/counting_allocator.hpp"
#include "support/wait_until.hpp"

namespace test {

namespace asio = boost::asio;

/// What an operation's completion was.
class answer {
 public:
  void operator()(std::exception_ptr failure, int value) {
    note(brigade::to_error_code(failure), value);
  }
  void operator()(brigade::error_code failure, brigade::permit slot) {
    note(failure, slot ? 1 : 0);
  }
  void note(brigade::error_code failure, int value) {
    why = failure;
    result = value;
    times.fetch_add(1);
  }
  void note_value(int value) { note({}, value); }
  void note_value(brigade::permit slot) { note({}, slot ? 1 : 0); }
  void note_exception() { note(brigade::to_error_code(std::current_exception()), 0); }

  std::atomic<int> times{0};
  brigade::error_code why{};  // these two are written before `times`
  int result = 0;
};

/// Where an operation is started and told of: a context that the test's own thread runs, and what
/// tokens are made of.
struct home {
  explicit home(brigade::worker_pool& p) : pool(p) {}

  /// Waits until the operation has been told of.
  [[nodiscard]] bool until_told() {
    return wait_until([this] {
      context.restart();
      context.poll();
      if (fetch) std::exchange(fetch, nullptr)();
      return told.times != 0;
    });
  }

  brigade::worker_pool& pool;
  asio::io_context context;
  answer told;
  std::atomic<bool> well_placed{true};  // where the handler ran, and what it found
  asio::cancellation_signal signal;
  asio::steady_timer timer{context, asio::steady_timer::time_point::max()};
  memory_count memory;
  std::function<void()> fetch;  // blocks until the answer is there
};

// `start(token)` begins the operation. What it returns is the token's business.

struct callback {
  template <class Start>
  static void begin(home& at, Start const& start) {
    start([&at](auto... args) { at.told(std::move(args)...); });
  }
};

struct future {
  template <class Start>
  static void begin(home& at, Start const& start) {
    auto const answer =
        std::make_shared<decltype(start(asio::use_future))>(start(asio::use_future));
    at.fetch = [&at, answer] {
      try {
        at.told.note_value(answer->get());
      } catch (...) {
        at.told.note_exception();
      }
    };
  }
};

struct awaitable {
  template <class Start>
  static asio::awaitable<void> body(home& at, Start start) {
    try {
      auto value = co_await start(asio::use_awaitable);
      at.told.note_value(std::move(value));
    } catch (...) {
      at.told.note_exception();
    }
    at.well_placed = at.context.get_executor().running_in_this_thread();
  }
  template <class Start>
  static void begin(home& at, Start const& start) {
    asio::co_spawn(at.context, body(at, start), asio::detached);
    at.context.poll();
  }
};

template <class Inner>
struct as_tuple_of {
  template <class Start>
  static asio::awaitable<void> body(home& at, Start start) {
    auto values = co_await start(asio::as_tuple(Inner{}));
    std::apply(std::ref(at.told), std::move(values));
    at.well_placed = at.context.get_executor().running_in_this_thread();
  }
  template <class Start>
  static void begin(home& at, Start const& start) {
    asio::co_spawn(at.context, body(at, start), asio::detached);
    at.context.poll();
  }
};
using as_tuple = as_tuple_of<asio::use_awaitable_t<>>;
using as_tuple_deferred = as_tuple_of<asio::deferred_t>;

struct deferred {
  template <class Start>
  static void begin(home& at, Start const& start) {
    auto const before = at.pool.metrics();
    auto operation = start(asio::deferred);
    auto const after = at.pool.metrics();
    at.well_placed = before.admitted == after.admitted && before.waiting == after.waiting;
    std::move(operation)([&at](auto... args) { at.told(std::move(args)...); });
  }
};

struct in_strand_of_pool {
  template <class Start>
  static void begin(home& at, Start const& start) {
    auto const strand = asio::make_strand(at.pool.get_executor());
    start(asio::bind_executor(strand, [&at, strand](auto... args) {
      at.well_placed = strand.running_in_this_thread();
      at.told(std::move(args)...);
    }));
  }
};

struct in_other_context {
  template <class Start>
  static void begin(home& at, Start const& start) {
    start(asio::bind_executor(at.context, [&at](auto... args) {
      at.well_placed = at.context.get_executor().running_in_this_thread();
      at.told(std::move(args)...);
    }));
  }
};

/// All memory that the handler's allocator gave is back when the handler is called.
struct with_allocator {
  template <class Start>
  static void begin(home& at, Start const& start) {
    start(asio::bind_allocator(counting_allocator<char>{at.memory}, [&at](auto... args) {
      at.well_placed = at.memory.live == 0;
      at.told(std::move(args)...);
    }));
  }
};

struct with_slot {
  template <class Start>
  static void begin(home& at, Start const& start) {
    start(asio::bind_cancellation_slot(
        at.signal.slot(),
        asio::bind_executor(at.context, [&at](auto... args) { at.told(std::move(args)...); })));
  }
  /// Cancels it.
  static void cancel(home& at, asio::cancellation_type type) { at.signal.emit(type); }
  static constexpr bool tells_what_it_gave = true;
};

/// A refusal, too, ends the wait: as_tuple makes a value of it.
struct or_timer {
  template <class Start>
  static asio::awaitable<void> body(home& at, Start start) {
    using namespace asio::experimental::awaitable_operators;
    auto first = co_await (start(asio::as_tuple(asio::use_awaitable)) ||
                           at.timer.async_wait(asio::as_tuple(asio::use_awaitable)));
    if (first.index() == 0) {
      std::apply(std::ref(at.told), std::move(std::get<0>(first)));
    } else {
      at.told.note(asio::error::operation_aborted, 0);
    }
  }
  template <class Start>
  static void begin(home& at, Start const& start) {
    asio::co_spawn(at.context, body(at, start), asio::detached);
    at.context.poll();
  }
  static void cancel(home& at, asio::cancellation_type) { at.timer.cancel(); }
  static constexpr bool tells_what_it_gave = false;
};

struct in_group {
  template <class Start>
  static void begin(home& at, Start const& start) {
    asio::experimental::make_parallel_group(
        start(asio::bind_executor(at.context, asio::deferred)),
        at.timer.async_wait(asio::bind_executor(at.context, asio::deferred)))
        .async_wait(asio::experimental::wait_for_one(),
                    [&at](auto const&, auto failure, auto value, auto const&) {
                      at.told(std::move(failure), std::move(value));
                    });
  }
  static void cancel(home& at, asio::cancellation_type) { at.timer.cancel(); }
  static constexpr bool tells_what_it_gave = true;
};

}  // namespace test
