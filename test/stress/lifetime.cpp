// Ends of a pool raced against each other, against submitters and against completions.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;

TEST_CASE("close, stop, drain, join and submit may race", "[stress][lifetime]") {
  for (int round = 0; round != 200; ++round) {
    std::atomic<int> asked{0};
    std::atomic<int> told{0};
    std::atomic<int> drained{0};
    {
      brigade::worker_pool pool{{.threads = 2, .capacity = 32}};
      std::vector<std::thread> threads;
      for (int s = 0; s != 2; ++s) {
        threads.emplace_back([&] {
          for (int i = 0; i != 50; ++i) {
            asked.fetch_add(1);
            pool.async_submit([] {}, [&](std::exception_ptr) { told.fetch_add(1); });
          }
        });
      }
      threads.emplace_back([&] { pool.close(); });
      threads.emplace_back(
          [&] { pool.async_drain([&](brigade::error_code) { drained.fetch_add(1); }); });
      if (round % 2 == 0) threads.emplace_back([&] { pool.stop(); });
      threads.emplace_back([&] { pool.join(); });
      threads.emplace_back([&] { pool.join(); });
      for (auto& thread : threads) thread.join();
      REQUIRE(test::wait_until([&] { return told == asked; }));
      REQUIRE(test::wait_until([&] { return drained == 1; }));
      REQUIRE(pool.state() == brigade::pool_state::stopped);
    }
    REQUIRE(told == 100);
  }
}

TEST_CASE("a pool destroyed with work in it tells every handler once", "[stress][lifetime]") {
  for (int round = 0; round != 300; ++round) {
    std::atomic<int> told{0};
    {
      brigade::worker_pool pool{{.threads = 2, .capacity = 64}};
      for (int i = 0; i != 40; ++i) {
        pool.async_submit([] {}, [&](std::exception_ptr) { told.fetch_add(1); });
      }
    }
    REQUIRE(told == 40);
  }
}

TEST_CASE("a pool may be destroyed by one of its own jobs, again and again", "[stress][lifetime]") {
  for (int round = 0; round != 300; ++round) {
    auto told = std::make_shared<std::atomic<int>>(0);
    auto pool =
        std::make_unique<brigade::worker_pool>(brigade::pool_options{.threads = 2, .capacity = 64});
    std::promise<void> handed_over;
    auto const owned = handed_over.get_future().share();
    auto& members = *pool;
    std::atomic<bool> gone{false};
    REQUIRE_FALSE(members.try_post([&, owned] {
      owned.wait();
      pool.reset();
      gone.store(true);
    }));
    for (int i = 0; i != 10; ++i) {
      members.async_submit([] {}, [told](std::exception_ptr) { told->fetch_add(1); });
    }
    handed_over.set_value();
    REQUIRE(test::wait_until([&] { return gone.load() && told->load() == 10; }));
  }
}

TEST_CASE("cancellation from another thread races with the job's start", "[stress][lifetime]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 64}};
  for (int round = 0; round != 3'000; ++round) {
    asio::cancellation_signal signal;
    std::atomic<int> ran{0};
    std::promise<brigade::error_code> end;
    pool.async_submit([&] { ran.fetch_add(1); },
                      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr failure) {
                        end.set_value(brigade::to_error_code(failure));
                      }));
    std::thread canceller([&] { signal.emit(asio::cancellation_type::total); });
    auto const how = end.get_future().get();
    canceller.join();
    if (how == asio::error::operation_aborted) {
      REQUIRE(ran == 0);
    } else {
      REQUIRE_FALSE(how);
      REQUIRE(ran == 1);
    }
  }
  pool.join();
  auto const m = pool.metrics();
  CHECK(m.completed + m.cancelled == 3'000);
}
