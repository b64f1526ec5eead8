// The observer: who is told what, and in which order.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::job_outcome;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

/// Writes everything down.
class diary : public brigade::job_observer {
 public:
  struct entry {
    std::string what;
    std::uint64_t number = 0;
    std::string name;
    brigade::job_times times{};
  };

  void admitted(brigade::observed_job const& job) override { write("admitted", job, {}); }
  void started(brigade::observed_job const& job, nanoseconds queue_wait) override {
    write("started", job, {queue_wait, 0ns});
  }
  void finished(brigade::observed_job const& job, job_outcome outcome,
                brigade::job_times const& times) override {
    write(std::string(to_string(outcome)), job, times);
  }

  [[nodiscard]] std::vector<entry> entries() const {
    std::lock_guard const lock(mutex_);
    return entries_;
  }
  /// "admitted started completed" and the like: what happened to the job that was admitted as the
  /// n-th.
  [[nodiscard]] std::string life_of(std::size_t n) const {
    std::string life;
    auto const all = entries();
    std::vector<std::uint64_t> numbers;
    for (auto const& e : all) {
      if (e.what == "admitted") numbers.push_back(e.number);
    }
    for (auto const& e : all) {
      if (e.number == numbers.at(n)) life += (life.empty() ? "" : " ") + e.what;
    }
    return life;
  }

 private:
  void write(std::string what, brigade::observed_job const& job, brigade::job_times times) {
    std::lock_guard const lock(mutex_);
    entries_.push_back({std::move(what), job.number, job.name != nullptr ? job.name : "", times});
  }

  mutable std::mutex mutex_;
  std::vector<entry> entries_;
};

}  // namespace

TEST_CASE("an observer is told of every job's admission, start and end, in this order",
          "[contract][observer]") {
  auto const mode = GENERATE(brigade::timing::off, brigade::timing::sampled, brigade::timing::full);
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{
      {.threads = 1, .on_job_error = [](std::exception_ptr) {}, .timing = mode, .observer = seen}};
  REQUIRE_FALSE(pool.try_post([] {}));
  REQUIRE_FALSE(pool.try_post([] { throw std::runtime_error("part of the test"); }));
  pool.async_submit([] { return 1; }, [](std::exception_ptr, int) {});
  pool.async_submit([]() -> int { throw std::runtime_error("part of the test"); },
                    [](std::exception_ptr, int) {});
  pool.async_submit([](std::stop_token) {}, asio::detached);
  auto coroutine = []() -> asio::awaitable<void> { co_await asio::post(asio::use_awaitable); };
  pool.async_submit(coroutine, asio::detached);
  auto failing = []() -> asio::awaitable<void> {
    co_await asio::post(asio::use_awaitable);
    throw std::runtime_error("part of the test");
  };
  pool.async_submit(failing, [](std::exception_ptr) {});
  std::vector<std::function<void()>> several(3, [] {});
  CHECK(pool.try_post_bulk(several.begin(), several.end()) == 3);
  pool.join();

  CHECK(seen->entries().size() == 30);
  for (std::size_t const n : {0U, 2U, 4U, 5U, 7U, 8U, 9U}) {
    CHECK(seen->life_of(n) == "admitted started completed");
  }
  for (std::size_t const n : {1U, 3U, 6U}) CHECK(seen->life_of(n) == "admitted started failed");
  CHECK(pool.metrics().run_time.count() == (mode == brigade::timing::off ? 0 : 10));
}

TEST_CASE("an observer is told of jobs that end while they are queued", "[contract][observer]") {
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{{.threads = 1, .observer = seen}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  asio::cancellation_signal signal;
  pool.async_submit([] {}, asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
  signal.emit(asio::cancellation_type::total);
  CHECK(seen->life_of(1) == "admitted cancelled");
  REQUIRE_FALSE(pool.try_post([] {}));
  pool.async_submit([] {}, asio::detached);
  pool.async_submit([](std::stop_token) {}, asio::detached);
  pool.stop();
  for (std::size_t const n : {2U, 3U, 4U}) CHECK(seen->life_of(n) == "admitted cancelled");
  gate.open();
  pool.join();
  CHECK(seen->life_of(0) == "admitted started completed");
  CHECK(seen->entries().size() == 11);
  for (auto const& e : seen->entries()) {
    if (e.what == "cancelled") CHECK(e.times.run_time == 0ns);
  }
}

TEST_CASE("an observer is told of jobs that expire, are shed, and of their names",
          "[contract][observer]") {
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{{.threads = 1, .capacity = 3, .observer = seen}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] {}, {.name = "dropped"}));
  pool.async_submit([] {}, {.start_by = steady::now() + 1ms, .name = "late"}, asio::detached);
  REQUIRE(test::wait_until([&] { return pool.metrics().expired == 1; }));
  pool.async_submit([] {}, {.name = "filler"}, asio::detached);
  pool.async_submit([] {}, {.when_full = brigade::overflow::drop_oldest, .name = "dropping"},
                    asio::detached);
  CHECK(seen->life_of(1) == "admitted shed");
  CHECK(seen->life_of(2) == "admitted expired");
  gate.open();
  pool.join();
  CHECK(seen->life_of(3) == "admitted started completed");
  CHECK(seen->life_of(4) == "admitted started completed");
  std::map<std::string, int> names;
  for (auto const& e : seen->entries()) ++names[e.name];
  CHECK(names == std::map<std::string, int>{
                     {"", 3}, {"dropped", 2}, {"late", 2}, {"filler", 3}, {"dropping", 3}});
}

TEST_CASE("a waiting job is observed from its admission on", "[contract][observer]") {
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .observer = seen}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::atomic<bool> told{false};
  pool.async_submit([] {}, {.when_full = brigade::overflow::wait, .name = "patient"},
                    [&](std::exception_ptr) { told = true; });
  REQUIRE(test::wait_until([&] { return pool.metrics().waiting == 1; }));
  CHECK(seen->entries().size() == 2);
  gate.open();
  REQUIRE(test::wait_until([&] { return told.load(); }));
  CHECK(seen->life_of(1) == "admitted started completed");
  CHECK(seen->entries().back().name == "patient");
}

TEST_CASE("a job that its caller runs is not observed", "[contract][observer]") {
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .observer = seen}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] {}, {.when_full = brigade::overflow::caller_runs}));
  CHECK(pool.metrics().caller_ran == 1);
  CHECK(seen->entries().size() == 2);
}

TEST_CASE("jobs of different lanes have different numbers", "[contract][observer]") {
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{{.threads = 1, .capacity = 100, .lanes = {{}, {}}, .observer = seen}};
  for (int i = 0; i != 20; ++i) {
    REQUIRE_FALSE(pool.try_post([] {}, {.lane = 0}));
    pool.async_submit([] {}, {.lane = 1}, asio::detached);
  }
  pool.join();
  std::map<std::uint64_t, int> events;
  for (auto const& e : seen->entries()) ++events[e.number];
  CHECK(events.size() == 40);
  CHECK(std::all_of(events.begin(), events.end(), [](auto const& e) { return e.second == 3; }));
}

TEST_CASE("a coroutine that is destroyed with its context counts as cancelled to the observer",
          "[contract][observer]") {
  auto const seen = std::make_shared<diary>();
  auto host = std::make_unique<asio::io_context>();
  brigade::worker_pool pool{
      host->get_executor(),
      {.threads = 1, .on_handler_error = [](std::exception_ptr) {}, .observer = seen}};
  auto coroutine = []() -> asio::awaitable<void> {
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
  };
  pool.async_submit(coroutine, asio::detached);
  while (host->poll() != 0) {
  }
  CHECK(seen->life_of(0) == "admitted started");
  host.reset();
  CHECK(seen->life_of(0) == "admitted started cancelled");
}

TEST_CASE("a refused job is not observed", "[contract][observer]") {
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .observer = seen}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  CHECK(pool.try_post([] {}) == brigade::errc::queue_full);
  pool.async_submit([] {}, asio::detached);
  gate.open();
  pool.join();
  CHECK(pool.try_post([] {}) == brigade::errc::closed);
  CHECK(seen->entries().size() == 3);
}

TEST_CASE("a job whose construction throws is not observed", "[contract][observer]") {
  struct fragile {
    fragile() = default;
    fragile(fragile const&) { throw std::runtime_error("part of the test"); }
    void operator()() const {}
  };
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{{.threads = 1, .observer = seen}};
  fragile const job;
  CHECK_THROWS_AS(static_cast<void>(pool.try_post(job)), std::runtime_error);
  pool.join();
  CHECK(seen->entries().empty());
}

TEST_CASE("an observer's times lie within those that have passed", "[contract][observer]") {
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{{.threads = 1, .timing = brigade::timing::off, .observer = seen}};
  nanoseconds inside{0};
  auto const before = steady::now();
  REQUIRE_FALSE(pool.try_post([&] {
    auto const begin = steady::now();
    while (steady::now() < begin + 2ms) {
    }
    inside = steady::now() - begin;
  }));
  pool.join();
  auto const elapsed = steady::now() - before;
  auto const entries = seen->entries();
  REQUIRE(entries.size() == 3);
  CHECK(entries[1].times.queue_wait == entries[2].times.queue_wait);
  CHECK(entries[2].times.run_time >= inside);
  CHECK(entries[2].times.queue_wait + entries[2].times.run_time <= elapsed);
}

TEST_CASE("numbers of jobs are not used twice", "[contract][observer]") {
  auto const seen = std::make_shared<diary>();
  brigade::worker_pool pool{{.threads = 2, .capacity = 3'000, .observer = seen}};
  for (int i = 0; i != 1'000; ++i) {
    REQUIRE_FALSE(pool.try_post([] {}));
    pool.async_submit([](std::stop_token) {}, asio::detached);
  }
  pool.join();
  std::map<std::uint64_t, int> events;
  for (auto const& e : seen->entries()) ++events[e.number];
  CHECK(events.size() == 2'000);
  CHECK(std::all_of(events.begin(), events.end(), [](auto const& e) { return e.second == 3; }));
}

TEST_CASE("an observer's own time is not counted to the next job", "[contract][observer]") {
  struct dawdler : brigade::job_observer {
    void finished(brigade::observed_job const&, job_outcome,
                  brigade::job_times const& times) override {
      auto const came = steady::now();
      if (came - times.run_time < left) ++too_long;
      while (steady::now() - came < 1ms) {
      }
      left = steady::now();
    }
    steady::time_point left{};
    int too_long = 0;
  };
  auto const seen = std::make_shared<dawdler>();
  brigade::worker_pool pool{{.threads = 1, .observer = seen}};
  for (int i = 0; i != 50; ++i) REQUIRE_FALSE(pool.try_post([] {}));
  pool.close();
  pool.join();
  CHECK(seen->too_long == 0);
}

TEST_CASE("what an observer throws is reported, and changes nothing else", "[contract][observer]") {
  struct thrower : brigade::job_observer {
    void admitted(brigade::observed_job const&) override { throw std::runtime_error("admitted"); }
    void started(brigade::observed_job const&, nanoseconds) override {
      throw std::runtime_error("started");
    }
    void finished(brigade::observed_job const&, job_outcome, brigade::job_times const&) override {
      throw std::runtime_error("finished");
    }
  };
  std::mutex mutex;
  std::multiset<std::string> reported;
  brigade::worker_pool pool{{.threads = 1,
                             .on_handler_error =
                                 [&](std::exception_ptr failure) {
                                   std::lock_guard const lock(mutex);
                                   try {
                                     std::rethrow_exception(failure);
                                   } catch (std::exception const& e) {
                                     reported.insert(e.what());
                                   }
                                 },
                             .observer = std::make_shared<thrower>()}};
  std::atomic<int> ran{0};
  std::atomic<int> told{0};
  REQUIRE_FALSE(pool.try_post([&] { ++ran; }));
  pool.async_submit([&] { ++ran; }, [&](std::exception_ptr failure) { told += !failure; });
  pool.join();
  CHECK(ran == 2);
  CHECK(told == 1);
  CHECK(pool.metrics().completed == 2);
  CHECK(pool.metrics().handler_errors == 0);
  CHECK(reported == std::multiset<std::string>{"admitted", "admitted", "finished", "finished",
                                               "started", "started"});
}

TEST_CASE("when a drain is told of, the observer has been told of every end",
          "[contract][observer]") {
  struct counting : brigade::job_observer {
    void finished(brigade::observed_job const&, job_outcome, brigade::job_times const&) override {
      ++count;
    }
    std::atomic<int> count{0};
  };
  for (int round = 0; round != 50; ++round) {
    auto const seen = std::make_shared<counting>();
    brigade::worker_pool pool{{.threads = 2, .observer = seen}};
    asio::io_context mine;
    for (int i = 0; i != 20; ++i) REQUIRE_FALSE(pool.try_post([] {}));
    int seen_then = 0;
    pool.async_drain(
        asio::bind_executor(mine, [&](brigade::error_code) { seen_then = seen->count; }));
    mine.run();
    REQUIRE(seen_then == 20);
  }
}

TEST_CASE("the names of outcomes", "[contract][observer]") {
  CHECK(to_string(job_outcome::completed) == "completed");
  CHECK(to_string(job_outcome::failed) == "failed");
  CHECK(to_string(job_outcome::cancelled) == "cancelled");
  CHECK(to_string(job_outcome::expired) == "expired");
  CHECK(to_string(job_outcome::shed) == "shed");
}
