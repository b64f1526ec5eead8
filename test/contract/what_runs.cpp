// What a pool tells of the jobs that run: in a dump, in the metrics, in a report, to the watch.
// SPDX-License-Identifier: BSL-1.0
#include <unistd.h>

#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::running_job;
using namespace std::chrono_literals;
using kind = running_job::kind;

namespace {

// What the hook was told.
class told_jobs {
 public:
  auto hook() {
    return [this](brigade::stuck_job const& job) {
      std::lock_guard const lock(mutex_);
      told_.push_back(job);
    };
  }
  [[nodiscard]] std::vector<brigade::stuck_job> all() {
    std::lock_guard const lock(mutex_);
    return told_;
  }

 private:
  std::mutex mutex_;
  std::vector<brigade::stuck_job> told_;
};

// A coroutine job that is suspended until told to go on, whatever is cancelled.
class sleeper {
 public:
  auto job() {
    return [this]() -> asio::awaitable<void> {
      co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      started = true;
      co_await never_.async_wait(asio::as_tuple(asio::use_awaitable));
    };
  }
  void go_on() {
    never_.cancel();
    elsewhere_.run();
  }
  std::atomic<bool> started{false};

 private:
  asio::io_context elsewhere_;
  asio::steady_timer never_{elsewhere_, asio::steady_timer::time_point::max()};
};

}  // namespace

TEST_CASE("an idle pool runs nothing", "[contract][what_runs]") {
  brigade::worker_pool pool{{.threads = 2, .name = "idle"}};
  pool.async_submit([] {}, asio::use_future).get();
  REQUIRE(test::wait_until([&] { return pool.metrics().active_workers == 0; }));
  CHECK(pool.dump().running.empty());
  CHECK(pool.metrics().longest_running == 0ns);
  CHECK(fmt::format("{}", pool.dump()) ==
        "brigade: pool 'idle' is running: 0 of 2 workers busy; 0 jobs run, 0 wait, of at most "
        "1024\n");
}

TEST_CASE("a dump shows what runs, how long already, and what waits", "[contract][what_runs]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 4, .name = "busy"}};
  test::blocker gate;
  std::atomic<long> thread{0};
  REQUIRE_FALSE(pool.try_post([&] {
    thread = ::gettid();
    gate.wait();
  }));
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  REQUIRE_FALSE(pool.try_post([] {}));
  auto const before = pool.dump();
  REQUIRE(before.running.size() == 1);
  CHECK(before.running[0].what == kind::job);
  CHECK(before.running[0].thread == static_cast<std::uint64_t>(thread));
  CHECK(before.running[0].name.empty());
  CHECK(before.metrics.queued_jobs == 1);
  // The age grows with time, and the metrics know it.
  REQUIRE(test::wait_until([&] { return pool.dump().running.at(0).age > before.running[0].age; }));
  CHECK(pool.metrics().longest_running > before.running[0].age);
  auto const text = fmt::format("{}", pool.dump());
  CHECK(text.find("pool 'busy' is running: 1 of 1 workers busy; 1 jobs run, 1 wait, of at most 4; "
                  "the oldest has waited for ") != std::string::npos);
  CHECK(text.find(fmt::format("\n  a job on thread {} for ", thread.load())) != std::string::npos);
}

TEST_CASE("a worker in a handler, and a coroutine, are shown as such", "[contract][what_runs]") {
  brigade::worker_pool pool{{.threads = 1}};
  test::blocker gate;
  pool.async_submit([] {}, [&](std::exception_ptr) { gate.wait(); });
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  REQUIRE(pool.dump().running.size() == 1);
  CHECK(pool.dump().running[0].what == kind::handler);
  CHECK(pool.metrics().longest_running == 0ns);
  gate.open();

  sleeper sleeping;
  pool.async_submit(sleeping.job(), asio::detached);
  REQUIRE(test::wait_until([&] { return sleeping.started.load(); }));
  REQUIRE(test::wait_until([&] { return pool.dump().running.size() == 1; }));
  auto const job = pool.dump().running[0];
  CHECK(job.what == kind::coroutine);
  CHECK(job.thread == 0);
  CHECK(job.age < 1h);
  CHECK(fmt::format("{}", job).find("a coroutine for ") == 0);
  sleeping.go_on();
}

TEST_CASE("names stand in front", "[contract][what_runs]") {
  running_job job{.name = "resize", .age = 12'031ms, .thread = 4711};
  CHECK(to_string(job) == "'resize' on thread 4711 for 12.031 s");
  job.what = kind::handler;
  CHECK(fmt::format("{}", job) == "the handler of 'resize' on thread 4711 for 12.031 s");
  job = {.name = "poll", .age = 1s, .what = kind::coroutine};
  CHECK(to_string(job) == "coroutine 'poll' for 1.000 s");
}

TEST_CASE("a job is shown by its own name, and by none if it has none", "[contract][what_runs]") {
  auto const timing = GENERATE(brigade::timing::off, brigade::timing::full);
  brigade::worker_pool pool{{.threads = 1, .timing = timing}};
  test::blocker first;
  REQUIRE(first.occupy(pool, 1));
  std::vector<std::vector<running_job>> seen;
  auto const look = [&] { seen.push_back(pool.dump().running); };
  // All in one turn of the worker.
  REQUIRE_FALSE(pool.try_post(look, {.name = "one"}));
  REQUIRE_FALSE(pool.try_post(look));
  REQUIRE_FALSE(pool.try_post(look, {.name = "two"}));
  REQUIRE_FALSE(pool.try_post(look, {.name = "three"}));
  pool.async_submit(look, asio::detached);
  first.open();
  pool.join();
  std::vector<std::string> names;
  for (auto const& running : seen) {
    REQUIRE(running.size() == 1);
    names.push_back(running.front().name);
  }
  CHECK(names == std::vector<std::string>{"one", "", "two", "three", ""});
}

TEST_CASE("a report names what was abandoned, in its long form too", "[contract][what_runs]") {
  test::blocker gate;
  sleeper sleeping;
  {
    brigade::worker_pool pool{{.threads = 2, .capacity = 8}};
    REQUIRE(gate.occupy(pool, 1));
    pool.async_submit(sleeping.job(), asio::detached);
    REQUIRE(test::wait_until([&] { return sleeping.started.load(); }));
    auto const report = pool.async_shutdown({.drain = 2ms, .cancel = 2ms}, asio::use_future).get();
    CHECK(report.abandoned == 2);
    REQUIRE(report.abandoned_jobs.size() == 2);
    CHECK(report.abandoned_jobs[0].what == kind::job);
    CHECK(report.abandoned_jobs[0].thread != 0);
    CHECK(report.abandoned_jobs[0].age >= 4ms);
    CHECK(report.abandoned_jobs[1].what == kind::coroutine);
    CHECK(report.abandoned_jobs[1].thread == 0);
    auto const line = fmt::format("{}", report);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(fmt::format("{:l}", report) == fmt::format("{}\n  abandoned: {}\n  abandoned: {}", line,
                                                     report.abandoned_jobs[0],
                                                     report.abandoned_jobs[1]));
    CHECK(fmt::format("{:>100}", report).size() == 100);
  }
  gate.open();
  sleeping.go_on();
}

TEST_CASE("a job that runs for too long is told of once", "[contract][what_runs]") {
  told_jobs told;
  std::atomic<long> thread{0};
  brigade::worker_pool pool{{.threads = 2,
                             .capacity = 100,
                             .name = "slow",
                             .stuck_after = 20ms,
                             .on_stuck_job = told.hook()}};
  test::blocker gate;
  REQUIRE_FALSE(pool.try_post([&] {
    thread = ::gettid();
    gate.wait();
  }));
  // Many that are quick, behind it and on the other worker.
  for (int i = 0; i != 50; ++i) {
    REQUIRE_FALSE(pool.try_post([] {}));
  }
  REQUIRE(test::wait_until([&] { return told.all().size() == 1; }));
  auto const job = told.all()[0];
  CHECK(job.pool == "slow");
  CHECK(job.age > 20ms);
  CHECK(job.thread == static_cast<std::uint64_t>(thread));
  CHECK(job.what == kind::job);
  CHECK(pool.metrics().stuck_jobs == 1);
  REQUIRE(test::wait_until([&] { return pool.metrics().longest_running > 100ms; }));
  CHECK(told.all().size() == 1);
  auto const stuck = pool.metrics().stuck;
  REQUIRE(stuck.size() == 1);
  CHECK(stuck[0].age > 100ms);
  CHECK(stuck[0].thread == job.thread);
  gate.open();
  pool.join();
  CHECK(pool.metrics().stuck_jobs == 0);
  CHECK(pool.metrics().longest_running == 0ns);
}

TEST_CASE("every job that is stuck is told of, the next one on the same worker too",
          "[contract][what_runs]") {
  told_jobs told;
  brigade::worker_pool pool{{.threads = 1, .stuck_after = 5ms, .on_stuck_job = told.hook()}};
  for (std::size_t round = 1; round != 4; ++round) {
    test::blocker gate;
    REQUIRE_FALSE(pool.try_post([] {}));  // a tiny one in front, after which no clock is read
    REQUIRE(gate.occupy(pool, 1));
    REQUIRE(test::wait_until([&] { return told.all().size() == round; }));
    CHECK(told.all().back().age > 5ms);
    CHECK(pool.metrics().stuck_jobs == 1);
  }
}

TEST_CASE("a handler that keeps its worker is told of as one", "[contract][what_runs]") {
  told_jobs told;
  brigade::worker_pool pool{{.threads = 1, .stuck_after = 5ms, .on_stuck_job = told.hook()}};
  test::blocker gate;
  pool.async_submit([] {}, [&](std::exception_ptr) { gate.wait(); });
  REQUIRE(test::wait_until([&] { return told.all().size() == 1; }));
  CHECK(told.all()[0].what == kind::handler);
}

TEST_CASE("a suspended coroutine is not stuck", "[contract][what_runs]") {
  told_jobs told;
  brigade::worker_pool pool{{.threads = 1, .stuck_after = 1ms, .on_stuck_job = told.hook()}};
  sleeper sleeping;
  pool.async_submit(sleeping.job(), asio::detached);
  REQUIRE(test::wait_until([&] {
    auto const running = pool.dump().running;
    return running.size() == 1 && running[0].age > 50ms;
  }));
  CHECK(told.all().empty());
  sleeping.go_on();
}

TEST_CASE("a hook for stuck jobs that throws is contained", "[contract][what_runs]") {
  std::atomic<int> reported{0};
  brigade::worker_pool pool{
      {.threads = 1,
       .on_handler_error = [&](std::exception_ptr) { reported.fetch_add(1); },
       .stuck_after = 1ms,
       .on_stuck_job = [](brigade::stuck_job const&) { throw std::runtime_error("on purpose"); }}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  CHECK(test::wait_until([&] { return reported == 1; }));
  CHECK(pool.metrics().stuck_jobs == 1);
}

TEST_CASE("jobs on a host are watched, too", "[contract][what_runs]") {
  told_jobs told;
  asio::io_context host;
  brigade::worker_pool pool{host.get_executor(),
                            {.threads = 1, .stuck_after = 5ms, .on_stuck_job = told.hook()}};
  test::blocker gate;
  std::jthread const runs([&] {
    auto const guard = asio::make_work_guard(host);
    host.run();
  });
  REQUIRE(gate.occupy(pool, 1));
  CHECK(test::wait_until([&] { return told.all().size() == 1; }));
  gate.open();
  pool.join();
  host.stop();
}

TEST_CASE("a time after which jobs are stuck is checked", "[contract][what_runs]") {
  for (auto const time : {std::chrono::milliseconds{-1}, std::chrono::milliseconds{24h + 1ms}}) {
    std::string said;
    try {
      brigade::worker_pool const pool{{.threads = 1, .stuck_after = time}};
    } catch (std::invalid_argument const& error) {
      said = error.what();
    }
    CHECK(said.find("stuck_after: " + std::to_string(time.count())) != std::string::npos);
  }
}
