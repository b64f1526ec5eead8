// What happens to the whole process: signals, a fork, a worker that never comes back, a calendar
// clock that jumps.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

std::atomic<long> calendar_offset{0};  // seconds
std::atomic<int> signals_seen{0};

// Some thousand signals a second, to whichever thread it hits, without SA_RESTART.
class signal_rain {
 public:
  signal_rain() {
    struct sigaction action {};
    action.sa_handler = [](int) { signals_seen.fetch_add(1); };
    ::sigaction(SIGALRM, &action, &before_);
    set(200);
  }
  ~signal_rain() {
    set(0);
    ::sigaction(SIGALRM, &before_, nullptr);
  }
  signal_rain(signal_rain const&) = delete;
  signal_rain& operator=(signal_rain const&) = delete;

 private:
  static void set(suseconds_t microseconds) {
    itimerval const every{{0, microseconds}, {0, microseconds}};
    ::setitimer(ITIMER_REAL, &every, nullptr);
  }
  struct sigaction before_ {};
};

// Each way to submit, until `jobs` have been admitted, and an end; all told exactly once.
void whole_life(int jobs) {
  brigade::worker_pool pool{{.threads = 2, .capacity = 8}};
  std::vector<std::atomic<int>> told(static_cast<std::size_t>(jobs));
  std::atomic<int> posted{0};
  int expected = 0;
  for (int i = 0; i != jobs; ++i) {
    auto& mine = told[static_cast<std::size_t>(i)];
    pool.async_submit([] {}, {.when_full = brigade::overflow::wait},
                      [&mine](std::exception_ptr e) { mine.fetch_add(1 + (e ? 100 : 0)); });
    expected += !pool.try_post([&posted] { posted.fetch_add(1); });
    expected += !pool.post_for([&posted] { posted.fetch_add(1); }, 60s);
  }
  CHECK(test::wait_until([&] {
    for (auto const& one : told) {
      if (one == 0) return false;
    }
    return true;
  }));
  std::atomic<int> drained{0};
  pool.async_drain([&](brigade::error_code failure) { drained = failure ? -1 : 1; });
  CHECK(test::wait_until([&] { return drained != 0; }));
  pool.join();
  CHECK(drained == 1);
  CHECK(posted == expected);
  for (auto const& one : told) CHECK(one == 1);
}

}  // namespace

// In front of the C library's: the calendar as the test wants it, all other clocks as they are.
extern "C" int clock_gettime(clockid_t which, timespec* now) noexcept {
  auto const status = static_cast<int>(::syscall(SYS_clock_gettime, which, now));
  if (status == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
    now->tv_sec += calendar_offset.load();
  }
  return status;
}

TEST_CASE("signals that interrupt everything change nothing", "[faults][process]") {
  auto const before = signals_seen.load();
  {
    signal_rain const rain;
    while (signals_seen - before < 500) whole_life(50);
  }
  CHECK(signals_seen - before >= 500);
}

TEST_CASE("a calendar that jumps expires no job and holds up none", "[faults][process]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 16}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::atomic<int> ran{0};
  std::atomic<int> expired{0};
  pool.async_submit([&] { ++ran; }, {.start_by = brigade::clock::now() + 1h},
                    [&](std::exception_ptr e) { expired += bool(e); });
  calendar_offset = 7'200;  // two hours on
  pool.async_submit([&] { ++ran; }, {.start_by = brigade::clock::now() + 50ms},
                    [&](std::exception_ptr e) { expired += bool(e); });
  calendar_offset = -7'200;
  // The second one, in its time.
  CHECK(test::wait_until([&] { return pool.metrics().expired == 1; }));
  CHECK(ran == 0);
  gate.open();
  pool.join();
  CHECK(ran == 1);
  CHECK(expired == 1);
  CHECK(pool.metrics().expired == 1);
  calendar_offset = 0;
}

TEST_CASE("a fork in the middle of it leaves the parent's pool as it was", "[faults][process]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 64}};
  std::atomic<bool> stop{false};
  std::atomic<int> posted{0};
  std::atomic<int> ran{0};
  std::thread submitter([&] {
    while (!stop) posted += !pool.try_post([&] { ++ran; });
  });
  for (int i = 0; i != 20; ++i) {
    REQUIRE(test::wait_until([&, seen = ran.load()] { return ran > seen + 100; }));
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      // The child has this one thread. It may do what a child of a program with threads may.
      if (i % 2 == 0) ::_exit(0);
      ::execl("/bin/true", "true", nullptr);
      ::_exit(1);
    }
    int status = -1;
    REQUIRE(test::wait_until([&] { return ::waitpid(child, &status, WNOHANG) == child; }));
    CHECK(status == 0);
  }
  stop = true;
  submitter.join();
  pool.join();
  CHECK(ran == posted);
}

TEST_CASE("a worker that never comes back costs its slot and its thread, and nothing else",
          "[faults][process]") {
  test::blocker stuck;
  std::atomic<int> ran{0};
  {
    brigade::worker_pool pool{{.threads = 2, .capacity = 4}};
    REQUIRE(stuck.occupy(pool, 1));
    for (int i = 0; i != 2'000; ++i) {
      REQUIRE_FALSE(pool.post_for([&] { ++ran; }, 60s));
    }
    REQUIRE(test::wait_until([&] { return ran == 2'000; }));
    // All of the rest ends in time; the one job is named and left behind.
    std::atomic<bool> told{false};
    brigade::shutdown_report report;
    pool.async_shutdown({.drain = 1ms, .cancel = 1ms},
                        [&](brigade::error_code, brigade::shutdown_report r) {
                          report = r;
                          told = true;
                        });
    REQUIRE(test::wait_until([&] { return told.load(); }));
    CHECK(report.abandoned == 1);
    CHECK(report.completed == 2'000);
  }
  stuck.open();
}
