// async_submit: what a handler is told, when, how often, and what is gone by then.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/counting_allocator.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::to_error_code;

namespace {

// What a handler finds of its operation.
struct remains {
  bool memory = true;
  bool job = true;
  int allocations = 0;
};

// Submits a job that owns `kept`; `kind(kept)` makes it, `bind(handler)` says where to complete.
template <class MakeJob, class Bind>
remains remains_of(brigade::worker_pool& pool, MakeJob kind, Bind bind) {
  test::memory_count memory;
  auto kept = std::make_shared<int>(0);
  std::weak_ptr<int> const job = kept;
  std::promise<remains> found;
  pool.async_submit(kind(std::move(kept)),
                    bind(asio::bind_allocator(
                        test::counting_allocator<void>(memory), [&](std::exception_ptr, auto...) {
                          found.set_value({.memory = memory.live != 0,
                                           .job = !job.expired(),
                                           .allocations = memory.allocations});
                        })));
  return found.get_future().get();
}

// An executor that has no way but to run its function on the spot.
struct on_the_spot {
  template <class F>
  void execute(F&& f) const {
    std::decay_t<F> own(std::forward<F>(f));
    std::move(own)();
  }
  bool operator==(on_the_spot const&) const noexcept = default;
};

thread_local bool initiating = false;

// Calls async_submit and tells, when the handler has been called, whether that was inside the call.
struct inside_probe {
  std::atomic<int> told{0};
  std::atomic<int> inside{0};

  template <class Bind>
  void submit(brigade::worker_pool& pool, Bind bind) {
    initiating = true;
    pool.async_submit([] {}, bind([this](std::exception_ptr) {
                        if (initiating) inside.fetch_add(1);
                        told.fetch_add(1);
                      }));
    initiating = false;
  }
  int submit_every_way(brigade::worker_pool& pool) {
    submit(pool, [](auto handler) { return handler; });
    submit(pool, [&](auto h) { return asio::bind_executor(pool.get_executor(), std::move(h)); });
    submit(pool, [](auto h) { return asio::bind_executor(asio::system_executor(), std::move(h)); });
    submit(pool, [](auto h) { return asio::bind_executor(on_the_spot{}, std::move(h)); });
    return 4;
  }
};

// Every handler submits the next link of the chain.
template <class Job>
struct chain {
  brigade::worker_pool& pool;
  asio::any_io_executor where;
  Job job;
  int left;
  int refused = 0;
  std::promise<void> done{};

  void next() {
    pool.async_submit(job, asio::bind_executor(where, [this](std::exception_ptr failure) {
                        if (failure) ++refused;
                        if (--left == 0) {
                          done.set_value();
                        } else {
                          next();
                        }
                      }));
  }
};

}  // namespace

TEST_CASE("a handler is given what the job returns", "[contract][async_submit]") {
  brigade::worker_pool pool{{.threads = 2}};
  CHECK_NOTHROW(pool.async_submit([] {}, asio::use_future).get());
  CHECK(pool.async_submit([] { return 42; }, asio::use_future).get() == 42);
  CHECK(pool.async_submit([] { return std::string(100, 'b'); }, asio::use_future).get() ==
        std::string(100, 'b'));
  CHECK(*pool.async_submit([] { return std::make_unique<int>(7); }, asio::use_future).get() == 7);
}

TEST_CASE("what a handler returns is nobody's", "[contract][async_submit]") {
  brigade::worker_pool pool{{.threads = 1}};
  asio::io_context elsewhere;
  int told = 0;
  asio::any_io_executor const executor = elsewhere.get_executor();
  pool.async_submit([] { return 1; }, asio::bind_executor(executor, [&](std::exception_ptr, int n) {
                      return told += n;
                    }));
  elsewhere.run();
  CHECK(told == 1);
  pool.async_submit([] { return 1; }, [&](std::exception_ptr, int n) { return told += n; });
  pool.join();
  CHECK(told == 2);
}

TEST_CASE("a job that takes a stop token is given one that can be requested",
          "[contract][async_submit]") {
  brigade::worker_pool pool{{.threads = 1}};
  auto const job = [](std::stop_token stop) {
    return stop.stop_possible() && !stop.stop_requested();
  };
  CHECK(pool.async_submit(job, asio::use_future).get());
}

TEST_CASE("a move-only handler takes a move-only result of a move-only job",
          "[contract][async_submit]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::promise<int> promise;
  auto told = promise.get_future();
  pool.async_submit(
      [number = std::make_unique<int>(5)]() mutable { return std::move(number); },
      [promise = std::move(promise)](std::exception_ptr, std::unique_ptr<int> number) mutable {
        promise.set_value(*number);
      });
  CHECK(told.get() == 5);
}

TEST_CASE("the job and all memory of its operation are gone when the handler is called",
          "[contract][async_submit]") {
  asio::io_context elsewhere;
  auto work = asio::make_work_guard(elsewhere);
  std::thread runner([&] { elsewhere.run(); });
  brigade::worker_pool pool{{.threads = 2}};

  auto const small = [](auto kept) { return [kept = std::move(kept)] { return *kept; }; };
  auto const large = [](auto kept) {
    return
        [kept = std::move(kept), ballast = std::array<char, 300>{}] { return *kept + ballast[0]; };
  };
  auto const stoppable = [](auto kept) {
    return [kept = std::move(kept)](std::stop_token) { return *kept; };
  };
  auto const coroutine = [](auto kept) {
    return [kept = std::move(kept)]() -> asio::awaitable<int> { co_return *kept; };
  };
  auto const nowhere = [](auto handler) { return handler; };
  auto const on_another_context = [&](auto handler) {
    return asio::bind_executor(elsewhere, std::move(handler));
  };
  auto const check = [&](auto const& kind, auto const& bind, bool allocates) {
    for (int round = 0; round != 20; ++round) {
      auto const found = remains_of(pool, kind, bind);
      CHECK_FALSE(found.memory);
      CHECK_FALSE(found.job);
      if (allocates) CHECK(found.allocations > 0);
    }
  };
  check(small, nowhere, false);
  check(large, nowhere, true);
  check(stoppable, nowhere, true);
  check(coroutine, nowhere, true);
  check(small, on_another_context, false);
  check(large, on_another_context, true);
  check(stoppable, on_another_context, true);
  check(coroutine, on_another_context, true);

  pool.close();  // Refused: the job is still the caller's, but the memory is gone, too.
  for (int round = 0; round != 20; ++round) {
    CHECK_FALSE(remains_of(pool, small, nowhere).memory);
    CHECK_FALSE(remains_of(pool, large, on_another_context).memory);
    CHECK_FALSE(remains_of(pool, stoppable, nowhere).memory);
    CHECK_FALSE(remains_of(pool, coroutine, on_another_context).memory);
  }
  work.reset();
  runner.join();
}

TEST_CASE("a handler is never called inside async_submit", "[contract][async_submit]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 16}};
  inside_probe probe;
  std::atomic<int> submitted{0};

  SECTION("when the job is admitted") { submitted += probe.submit_every_way(pool); }
  SECTION("when the pool is full") {
    test::blocker gate;
    CHECK(gate.occupy(pool, 2));
    while (!pool.try_post([] {})) {
    }
    submitted += probe.submit_every_way(pool);
    gate.open();
    CHECK(test::wait_until([&] { return probe.told == submitted; }));
    pool.join();
  }
  SECTION("when the pool is closed") {
    pool.close();
    submitted += probe.submit_every_way(pool);
  }
  SECTION("when the threads have ended") {
    pool.join();
    submitted += probe.submit_every_way(pool);
  }
  SECTION("when a worker calls") {
    pool.async_submit([&] { return probe.submit_every_way(pool); }, asio::use_future).get();
    submitted += 4;
  }
  SECTION("when a handler calls, on a closed pool") {
    std::promise<void> called;
    pool.async_submit([] {},
                      [&](std::exception_ptr) {
                        pool.close();
                        submitted += probe.submit_every_way(pool);
                        called.set_value();
                      });
    called.get_future().get();
  }
  CHECK(test::wait_until([&] { return probe.told == submitted; }));
  CHECK(probe.inside == 0);
}

// One worker takes the second job before it comes back to its executor's queue: the turn is long.
TEST_CASE("a handler on the pool's own executor follows its job, unless that executor never blocks",
          "[contract][async_submit]") {
  brigade::worker_pool pool{{.threads = 1, .turn_time = std::chrono::hours{1}}};
  bool const never = GENERATE(false, true);
  asio::any_io_executor const where =
      never ? asio::any_io_executor(
                  asio::require(pool.get_executor(), asio::execution::blocking.never))
            : asio::any_io_executor(pool.get_executor());
  test::blocker gate;
  REQUIRE_FALSE(pool.try_post([&] { gate.wait(); }));
  std::vector<std::string> order;
  pool.async_submit([&] { order.emplace_back("job 1"); },
                    asio::bind_executor(where, [&](std::exception_ptr failure) {
                      order.emplace_back(failure ? "failed" : "told 1");
                    }));
  REQUIRE_FALSE(pool.try_post([&] { order.emplace_back("job 2"); }));
  gate.open();
  pool.join();
  CHECK(order == (never ? std::vector<std::string>{"job 1", "job 2", "told 1"}
                        : std::vector<std::string>{"job 1", "told 1", "job 2"}));
}

TEST_CASE("every handler is called exactly once, admitted or refused", "[contract][async_submit]") {
  constexpr int each = 5'000;
  std::vector<std::atomic<int>> told(2 * each);
  std::atomic<std::uint64_t> ran{0};
  std::atomic<std::uint64_t> refused{0};
  {
    brigade::worker_pool pool{{.threads = 2, .capacity = 16}};
    std::vector<std::thread> submitters;
    for (int s = 0; s != 2; ++s) {
      submitters.emplace_back([&, s] {
        for (int i = s * each; i != (s + 1) * each; ++i) {
          pool.async_submit([&] { ran.fetch_add(1); },
                            [&, i](std::exception_ptr failure) {
                              if (failure) refused.fetch_add(1);
                              told[static_cast<std::size_t>(i)].fetch_add(1);
                            });
        }
      });
    }
    for (auto& submitter : submitters) submitter.join();
    pool.join();
    auto const all = std::uint64_t{2 * each};
    CHECK(ran + refused == all);
    CHECK(pool.metrics().rejected.queue_full == refused);
    CHECK(pool.metrics().completed == ran);
  }
  int wrong = 0;
  for (auto const& times : told) wrong += times != 1;
  CHECK(wrong == 0);
}

TEST_CASE("a freed slot is free before the handler runs: it may submit again at capacity 1",
          "[contract][async_submit]") {
  asio::io_context elsewhere;
  auto work = asio::make_work_guard(elsewhere);
  std::thread runner([&] { elsewhere.run(); });
  brigade::worker_pool pool{{.threads = 2, .capacity = 1}};
  auto const run = [&](asio::any_io_executor where, auto job) {
    chain<decltype(job)> links{pool, std::move(where), job, 2'000};
    links.next();
    links.done.get_future().get();
    CHECK(links.refused == 0);
  };
  for (auto const& where : {pool.get_executor(), asio::any_io_executor(elsewhere.get_executor())}) {
    run(where, [] {});
    run(where, [](std::stop_token) {});
    run(where, []() -> asio::awaitable<void> { co_return; });
  }
  work.reset();
  runner.join();
}

TEST_CASE("a refused job is told why, with queue_full or closed", "[contract][async_submit]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  CHECK(gate.occupy(pool, 1));
  std::atomic<bool> ran{false};
  std::promise<std::pair<brigade::error_code, int>> full;
  pool.async_submit(
      [&] {
        ran = true;
        return 3;
      },
      [&](std::exception_ptr failure, int result) {
        full.set_value({to_error_code(failure), result});
      });
  gate.open();
  auto const [why, result] = full.get_future().get();
  CHECK(why == errc::queue_full);
  CHECK(result == 0);
  pool.close();
  std::promise<brigade::error_code> closed;
  pool.async_submit([&] { ran = true; },
                    [&](std::exception_ptr failure) { closed.set_value(to_error_code(failure)); });
  CHECK(closed.get_future().get() == errc::closed);
  pool.join();
  CHECK_FALSE(ran);
  CHECK(pool.metrics().rejected.queue_full == 1);
  CHECK(pool.metrics().rejected.closed == 1);
}

TEST_CASE("a refusal is told at once while every worker is stuck", "[contract][async_submit]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 2}};
  test::blocker gate;
  CHECK(gate.occupy(pool, 2));

  asio::io_context elsewhere;  // on an executor of its own
  brigade::error_code why;
  pool.async_submit([] {}, asio::bind_executor(elsewhere, [&](std::exception_ptr failure) {
                      why = to_error_code(failure);
                    }));
  elsewhere.run();
  CHECK(why == errc::queue_full);

  auto future = pool.async_submit([] { return 1; }, asio::use_future);  // through a future
  REQUIRE(future.wait_for(std::chrono::seconds{60}) == std::future_status::ready);
  try {
    future.get();
    FAIL_CHECK("a refused job gave a result");
  } catch (boost::system::system_error const& error) {
    CHECK(error.code() == errc::queue_full);
  }
  CHECK(gate.waiting() == 2);
  gate.open();
  pool.join();
}
