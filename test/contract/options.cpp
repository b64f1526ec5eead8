// pool_options: what is taken, what is refused, and what comes of it.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>

#if defined(__linux__)
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/threads_now.hpp"
#include "support/wait_until.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BRIGADE_TEST_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BRIGADE_TEST_SANITIZED
#endif

namespace asio = boost::asio;
using brigade::pool_options;
using namespace std::chrono_literals;

namespace {

// What the constructor says of options that it refuses; empty if it takes them.
std::string complaint(pool_options const& options) {
  try {
    brigade::worker_pool const pool{options};
    return {};
  } catch (std::invalid_argument const& error) {
    return error.what();
  }
}

bool says(std::string const& text, char const* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

static_assert(std::is_aggregate_v<pool_options>);
static_assert(!std::is_copy_constructible_v<brigade::worker_pool>);
static_assert(!std::is_move_constructible_v<brigade::worker_pool>);
static_assert(!std::is_convertible_v<pool_options, brigade::worker_pool>);

TEST_CASE("options can be given by name, in the documented order", "[contract][options]") {
  pool_options const options{.threads = 3,
                             .capacity = 5,
                             .name = "resize",
                             .on_job_error = [](std::exception_ptr) {},
                             .on_handler_error = [](std::exception_ptr) {},
                             .linger = 10us,
                             .turn_jobs = 8,
                             .turn_time = 1ms};
  brigade::worker_pool const pool{options};
  CHECK(pool.metrics().workers == 3);
  CHECK(pool.metrics().capacity == 5);
}

TEST_CASE("every option has a default that works", "[contract][options]") {
  pool_options const options;
  CHECK(options.threads == 0);
  CHECK(options.capacity == 1024);
  CHECK(options.name == "brigade");
  CHECK_FALSE(options.on_job_error);
  CHECK_FALSE(options.on_handler_error);
  brigade::worker_pool pool;
  CHECK(pool.metrics().capacity == 1024);
  CHECK(pool.async_submit([] { return 1; }, asio::use_future).get() == 1);
}

TEST_CASE("no number of threads means as many as the hardware has", "[contract][options]") {
  auto const expected = std::max(1U, std::thread::hardware_concurrency());
  brigade::worker_pool const own{{.threads = 0}};
  CHECK(own.metrics().workers == expected);
  asio::io_context context;
  brigade::worker_pool const hosted{context.get_executor(), {.threads = 0}};
  CHECK(hosted.metrics().workers == expected);
}

TEST_CASE("so many threads as asked for run jobs at the same time", "[contract][options]") {
  for (unsigned const threads : {1U, 2U, 5U}) {
    brigade::worker_pool pool{{.threads = threads}};
    test::blocker gate;
    CHECK(gate.occupy(pool, threads));
    REQUIRE_FALSE(pool.try_post([] {}));
    CHECK(pool.metrics().queued_jobs == 1);
  }
}

TEST_CASE("an option out of range is refused by name and value", "[contract][options]") {
  CHECK(complaint({.threads = 1}).empty());

  auto const no_capacity = complaint({.threads = 1, .capacity = 0});
  CHECK(says(no_capacity, "capacity"));
  CHECK(says(no_capacity, ": 0 "));
  auto const too_much = complaint({.threads = 1, .capacity = (std::size_t{1} << 30) + 1});
  CHECK(says(too_much, "capacity"));
  CHECK(says(too_much, "1073741825"));
  CHECK(says(complaint({.threads = 1, .capacity = SIZE_MAX}), "capacity"));

  auto const crowd = complaint({.threads = 65'536});
  CHECK(says(crowd, "threads"));
  CHECK(says(crowd, "65536"));

  auto const no_jobs = complaint({.threads = 1, .turn_jobs = 0});
  CHECK(says(no_jobs, "turn_jobs"));
  CHECK(says(no_jobs, ": 0 "));
  CHECK(says(complaint({.threads = 1, .turn_jobs = (1U << 20) + 1}), "turn_jobs"));

  auto const no_time = complaint({.threads = 1, .turn_time = 0us});
  CHECK(says(no_time, "turn_time"));
  CHECK(says(no_time, ": 0 "));
  CHECK(says(complaint({.threads = 1, .turn_time = -5us}), "-5"));

  CHECK(says(complaint({.threads = 1, .linger = -1us}), "linger"));
  CHECK(says(complaint({.threads = 1, .linger = std::chrono::microseconds::max()}), "linger"));
}

TEST_CASE("a hosted pool refuses the same options, and an empty executor", "[contract][options]") {
  asio::io_context context;
  CHECK_THROWS_AS((brigade::worker_pool{context.get_executor(), {.threads = 1, .capacity = 0}}),
                  std::invalid_argument);
  CHECK_THROWS_AS((brigade::worker_pool{asio::any_io_executor{}, {.threads = 1}}),
                  std::invalid_argument);
}

TEST_CASE("extreme tuning changes no result", "[contract][options]") {
  std::vector<pool_options> const extremes{
      {.threads = 2, .capacity = 64, .linger = 0us},
      {.threads = 2, .capacity = 64, .turn_jobs = 1},
      {.threads = 2, .capacity = 64, .turn_time = 1us},
      {.threads = 2, .capacity = 1, .linger = 0us, .turn_jobs = 1, .turn_time = 1us}};
  for (auto const& options : extremes) {
    brigade::worker_pool pool{options};
    std::atomic<int> ran{0};
    int admitted = 0;
    while (admitted != 1'000) admitted += !pool.try_post([&] { ran.fetch_add(1); });
    pool.join();
    CHECK(ran == 1'000);
  }
}

TEST_CASE("one set of options makes any number of pools", "[contract][options]") {
  std::atomic<int> told{0};
  pool_options const options{.threads = 1,
                             .on_job_error = [&](std::exception_ptr) { told.fetch_add(1); }};
  brigade::worker_pool first{options};
  brigade::worker_pool second{options};
  REQUIRE_FALSE(first.try_post([] { throw 1; }));
  REQUIRE_FALSE(second.try_post([] { throw 1; }));
  first.join();
  second.join();
  CHECK(told == 2);
}

#if defined(__linux__)

namespace {

std::string name_of_this_thread() {
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return name;
}

}  // namespace

TEST_CASE("threads carry the pool's name", "[contract][options]") {
  brigade::worker_pool pool{{.threads = 2, .name = "resize"}};
  CHECK(pool.async_submit(name_of_this_thread, asio::use_future).get().starts_with("resize"));
}

TEST_CASE("of a long name threads carry the beginning", "[contract][options]") {
  brigade::worker_pool pool{{.threads = 1, .name = "a name that no system shows in full"}};
  auto const name = pool.async_submit(name_of_this_thread, asio::use_future).get();
  CHECK(name.starts_with("a name that"));
  CHECK(name.size() <= 15);
}

TEST_CASE("the caller's thread keeps its own name", "[contract][options]") {
  auto const before = name_of_this_thread();
  brigade::worker_pool const pool{{.threads = 1, .name = "other"}};
  CHECK(name_of_this_thread() == before);
}

#if !defined(BRIGADE_TEST_SANITIZED)

namespace {

// What the child process below reports by its exit status.
enum finding { as_promised, did_not_throw, threw_something_else, threads_left, no_limit };

// Leaves room for a few thread stacks and asks for a thousand.
finding start_too_many_threads() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  rlim_t const room = rlim_t{96} << 20;
  rlimit const limit{pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + room, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_AS, &limit) != 0) return no_limit;
  try {
    brigade::worker_pool const pool{{.threads = 1'000, .capacity = 8}};
    return did_not_throw;
  } catch (std::system_error const&) {
    auto const is_alone = [] { return test::threads_now() == 1; };
    return test::wait_until(is_alone) ? as_promised : threads_left;
  } catch (...) {
    return threw_something_else;
  }
}

}  // namespace

TEST_CASE("threads that cannot be started are a system_error, and those started are joined",
          "[contract][options]") {
  auto const child = ::fork();  // this process has no other thread
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(start_too_many_threads());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == as_promised);
}

#endif
#endif
