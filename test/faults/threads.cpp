// Threads that cannot be started: at each index, and the library's own control thread.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <pthread.h>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/threads_now.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;

namespace {

std::atomic<int> threads_until_failure{-1};  // below 0: none fails

}  // namespace

// In front of the C library's, for the C++ library too. EAGAIN is what a limit on processes gives.
extern "C" int pthread_create(pthread_t* thread, pthread_attr_t const* attributes,
                              void* (*run)(void*), void* argument) noexcept {
  static auto const original =
      reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  if (threads_until_failure.load() >= 0 && threads_until_failure.fetch_sub(1) == 0) return EAGAIN;
  return original(thread, attributes, run, argument);
}

// First in the file, and in a program of its own: the control thread is started once a process.
TEST_CASE("where the control thread cannot be started the call throws, and works the next time",
          "[faults][threads]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));

  std::atomic<int> told{0};
  auto const wait_in_line = [&] {
    pool.async_submit([] {}, {.when_full = brigade::overflow::wait},
                      [&](std::exception_ptr) { ++told; });
  };
  threads_until_failure = 0;
  CHECK_THROWS_AS(wait_in_line(), std::system_error);
  threads_until_failure = 0;
  CHECK_THROWS_AS(pool.async_drain([&](brigade::error_code) { ++told; }), std::system_error);
  threads_until_failure = -1;
  CHECK(told == 0);
  CHECK(pool.metrics().waiting == 0);

  bool const still_open = pool.state() == brigade::pool_state::running;
  if (still_open) {
    wait_in_line();
    gate.open();
    CHECK(test::wait_until([&] { return told == 1; }));
  }
  gate.open();
  pool.async_drain([&](brigade::error_code failure) {
    CHECK_FALSE(failure);
    ++told;
  });
  CHECK(test::wait_until([&] { return told == (still_open ? 2 : 1); }));
}

TEST_CASE("a pool of which a thread cannot be started is not made, and joins those it had",
          "[faults][threads]") {
  constexpr unsigned wanted = 5;
  auto const before = test::threads_now();
  for (unsigned index = 0; index != wanted; ++index) {
    INFO("thread " << index);
    threads_until_failure = static_cast<int>(index);
    try {
      brigade::worker_pool const pool{{.threads = wanted}};
      FAIL("the pool was made");
    } catch (std::system_error const& error) {
      CHECK(error.code() == std::errc::resource_unavailable_try_again);
      std::string const what = error.what();
      CHECK(what.find("could start only " + std::to_string(index) + " of 5 worker threads") !=
            std::string::npos);
    }
    threads_until_failure = -1;
    CHECK(test::wait_until([&] { return test::threads_now() == before; }));
  }
  brigade::worker_pool pool{{.threads = wanted}};
  std::atomic<bool> ran{false};
  REQUIRE_FALSE(pool.try_post([&] { ran = true; }));
  pool.join();
  CHECK(ran);
}
