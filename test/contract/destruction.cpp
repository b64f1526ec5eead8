// The destructor: from anywhere, at any time, with anything in flight.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
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
using brigade::errc;
using brigade::to_error_code;

namespace {

// A pool on the heap, and whether what its threads share is still there: a hook holds a witness.
struct mortal {
  std::shared_ptr<int> witness = std::make_shared<int>(0);
  std::weak_ptr<int> shared = witness;
  std::unique_ptr<brigade::worker_pool> pool;

  explicit mortal(unsigned threads) {
    brigade::pool_options options;
    options.threads = threads;
    options.capacity = 64;
    options.on_job_error = [w = std::move(witness)](std::exception_ptr) { (void)w; };
    pool = std::make_unique<brigade::worker_pool>(std::move(options));
  }
  [[nodiscard]] bool all_freed() const {
    return test::wait_until([&] { return shared.expired(); });
  }
};

struct tally {
  std::atomic<int> aborted{0};
  std::atomic<int> other{0};
  void operator()(std::exception_ptr const& failure) {
    (to_error_code(failure) == asio::error::operation_aborted ? aborted : other).fetch_add(1);
  }
};

auto into(tally& told) {
  return [&told](std::exception_ptr failure) { told(failure); };
}

asio::awaitable<void> sleep_for_ever() {
  asio::steady_timer never(co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::use_awaitable);
}

// Made before main() and destroyed after it, with work in them.
brigade::worker_pool before_main{{.threads = 1, .capacity = 16}};

brigade::worker_pool& on_first_use() {
  static brigade::worker_pool pool{{.threads = 2, .capacity = 16}};
  return pool;
}

}  // namespace

TEST_CASE("a pool may be destroyed by its own job", "[contract][destruction]") {
  auto const threads = GENERATE(1U, 2U);
  for (int round = 0; round != 50; ++round) {
    mortal owner{threads};
    tally told;
    std::promise<void> destroyed;
    std::promise<void> go;
    CHECK_FALSE(owner.pool->try_post([&] {
      go.get_future().get();  // until the others are queued
      owner.pool.reset();
      destroyed.set_value();
    }));
    if (threads == 1) {
      for (int i = 0; i != 10; ++i) owner.pool->async_submit([] {}, into(told));
    }
    go.set_value();
    destroyed.get_future().get();
    CHECK(owner.all_freed());
    CHECK(told.aborted == (threads == 1 ? 10 : 0));
    CHECK(told.other == 0);
  }
}

TEST_CASE("a pool may be destroyed by a completion handler", "[contract][destruction]") {
  enum class whose { job, job_in_a_strand, refused_job, drain };
  auto const which = GENERATE(whose::job, whose::job_in_a_strand, whose::refused_job, whose::drain);
  for (int round = 0; round != 50; ++round) {
    mortal owner{2};
    auto& pool = *owner.pool;
    std::promise<void> destroyed;
    std::promise<void> submitted;
    auto const destroy = [&, drain = which == whose::drain](auto) {
      if (!drain) submitted.get_future().get();  // a drain may still be in its initiating call
      owner.pool.reset();
      destroyed.set_value();
    };
    switch (which) {
      case whose::job: pool.async_submit([] {}, destroy); break;
      case whose::job_in_a_strand:
        pool.async_submit([] {},
                          asio::bind_executor(asio::make_strand(pool.get_executor()), destroy));
        break;
      case whose::refused_job:
        pool.close();
        pool.async_submit([] {}, destroy);
        break;
      case whose::drain: pool.async_drain(destroy); break;
    }
    submitted.set_value();
    destroyed.get_future().get();
    CHECK(owner.all_freed());
  }
}

TEST_CASE("a pool may be destroyed by its own coroutine job", "[contract][destruction]") {
  for (int round = 0; round != 50; ++round) {
    mortal owner{1};
    std::promise<void> destroyed;
    std::promise<void> submitted;
    std::atomic<int> told{0};
    auto const job = [&]() -> asio::awaitable<void> {
      if (round % 2 == 1) {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      }
      submitted.get_future().get();
      owner.pool.reset();
      destroyed.set_value();
    };
    owner.pool->async_submit(job, [&](std::exception_ptr) { told.fetch_add(1); });
    submitted.set_value();
    destroyed.get_future().get();
    CHECK(owner.all_freed());
    CHECK(told == 1);
  }
}

TEST_CASE("the destructor tells each queued job's handler operation_aborted, once",
          "[contract][destruction]") {
  asio::io_context elsewhere;
  tally told;
  tally told_elsewhere;
  std::atomic<bool> ran{false};
  {
    brigade::worker_pool pool{{.threads = 1, .capacity = 100}};
    std::promise<void> started;
    pool.async_submit(  // holds the worker until the destructor has begun
        [&](std::stop_token stop) {
          started.set_value();
          (void)test::wait_until([&] { return stop.stop_requested(); });
        },
        asio::detached);
    started.get_future().get();
    auto const function = [&] { ran = true; };
    auto const stoppable = [&](std::stop_token) { ran = true; };
    auto const coroutine = [&]() -> asio::awaitable<void> {
      ran = true;
      co_return;
    };
    for (int i = 0; i != 10; ++i) {
      pool.async_submit(function, into(told));
      pool.async_submit(stoppable, into(told));
      pool.async_submit(coroutine, into(told));
      pool.async_submit(function, asio::bind_executor(elsewhere, into(told_elsewhere)));
      pool.async_submit(stoppable, asio::bind_executor(elsewhere, into(told_elsewhere)));
      pool.async_submit(coroutine, asio::bind_executor(elsewhere, into(told_elsewhere)));
    }
  }
  CHECK(told.aborted == 30);
  elsewhere.run();
  CHECK(told_elsewhere.aborted == 30);
  CHECK(told.other + told_elsewhere.other == 0);
  CHECK_FALSE(ran);
}

TEST_CASE("the destructor cancels suspended coroutines and tells their handlers",
          "[contract][destruction]") {
  for (int round = 0; round != 50; ++round) {
    tally told;
    {
      brigade::worker_pool pool{{.threads = 2, .capacity = 16}};
      for (int i = 0; i != 8; ++i) pool.async_submit(sleep_for_ever, into(told));
      if (round % 2 == 0) CHECK(test::wait_until([&] { return pool.metrics().running_jobs == 8; }));
    }
    REQUIRE(told.aborted == 8);
    REQUIRE(told.other == 0);
  }
}

TEST_CASE("a pool may be destroyed right after other threads have submitted",
          "[contract][destruction]") {
  for (int round = 0; round != 50; ++round) {
    std::atomic<int> submitted{0};
    std::atomic<int> told{0};
    std::atomic<bool> enough{false};
    auto pool =
        std::make_unique<brigade::worker_pool>(brigade::pool_options{.threads = 2, .capacity = 32});
    std::vector<std::thread> submitters;
    for (int s = 0; s != 3; ++s) {
      submitters.emplace_back([&] {
        while (!enough) {
          submitted.fetch_add(1);
          pool->async_submit([] {}, [&](std::exception_ptr) { told.fetch_add(1); });
          (void)pool->try_post([] {});
        }
      });
    }
    CHECK(test::wait_until([&] { return submitted > 100; }));
    enough = true;
    for (auto& submitter : submitters) submitter.join();
    pool.reset();
    REQUIRE(told == submitted);
  }
}

TEST_CASE("jobs and handlers that submit do not hold up the destructor",
          "[contract][destruction]") {
  for (int round = 0; round != 30; ++round) {
    std::atomic<int> submitted{0};
    std::atomic<int> told{0};
    brigade::worker_pool* entrance = nullptr;
    // Goes on until it is refused for good.
    auto again = [&](auto& self) -> void {
      submitted.fetch_add(1);
      entrance->async_submit([] {},
                             [&](std::exception_ptr failure) {
                               told.fetch_add(1);
                               if (!failure) self(self);
                             });
    };
    {
      brigade::worker_pool pool{{.threads = 2, .capacity = 8}};
      entrance = &pool;
      for (int i = 0; i != 4; ++i) again(again);
      REQUIRE(test::wait_until([&] { return told > 50; }));
    }
    REQUIRE(told == submitted);
  }
}

TEST_CASE("pools come and go", "[contract][destruction]") {
  std::atomic<int> ran{0};
  int posted = 0;
  for (int round = 0; round != 300; ++round) {
    brigade::worker_pool pool{{.threads = 1 + static_cast<unsigned>(round % 3), .capacity = 4}};
    if (round % 2 == 0) {
      ++posted;
      CHECK_FALSE(pool.try_post([&] { ran.fetch_add(1); }));
      if (round % 4 == 0) pool.join();
    }
  }
  CHECK(ran >= posted / 2);
  CHECK(ran <= posted);
}

TEST_CASE("pools of static storage work, and end with the process", "[contract][destruction]") {
  CHECK(before_main.async_submit([] { return 1; }, asio::use_future).get() == 1);
  CHECK(on_first_use().async_submit([] { return 2; }, asio::use_future).get() == 2);
  // Left in flight: jobs, a suspended coroutine and a drain that nobody waits for.
  for (auto* pool : {&before_main, &on_first_use()}) {
    pool->async_submit(sleep_for_ever, asio::detached);
    for (int i = 0; i != 5; ++i) pool->async_submit([] {}, asio::detached);
    pool->async_drain(asio::detached);
    CHECK(pool->state() == brigade::pool_state::draining);
  }
}
