// What use_future is told by: alone in its program, because only the first use of Asio's
// system_context in a process can be seen.
// SPDX-License-Identifier: BSL-1.0
#include <exception>
#include <future>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/threads_now.hpp"

namespace asio = boost::asio;

namespace {

int seven() { return 7; }

}  // namespace

// A promise posts to Asio's system_context. That has threads of its own, and main's end destroys it
// while the thread that posted may still be inside of it.
TEST_CASE("a future is told without Asio's system_context", "[contract][futures]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  CHECK(pool.async_submit(seven, asio::use_future).get() == 7);
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::promise<void> told;
  pool.async_submit([] {}, asio::bind_executor(asio::system_executor(),
                                               [&](std::exception_ptr) { told.set_value(); }));
  told.get_future().wait();
  auto const before = test::threads_now();  // with the one that refusals are told by

  CHECK_THROWS_AS(pool.async_submit(seven, asio::use_future).get(), boost::system::system_error);
  auto const why = [](std::exception_ptr failure, int) { return brigade::to_error_code(failure); };
  CHECK(pool.async_submit(seven, asio::use_future(why)).get() == brigade::errc::queue_full);
  gate.open();
  brigade::task_group group{pool};
  group.async_wait(asio::use_future).get();
  pool.close();
  pool.async_drain(asio::use_future).get();
  CHECK(pool.async_shutdown({}, asio::use_future).get().completed == 2);
  CHECK(brigade::async_shutdown_all({pool}, {}, asio::use_future).get().size() == 1);
  CHECK(test::threads_now() <= before);
}
