// Every way into a pool with every completion token: the same answer, once, in the right place, and
// the books in order afterwards.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>

#include "support/catch.hpp"
#include "support/token_kinds.hpp"
#include "support/way_in.hpp"

namespace {

/// Calls `with` with what starts a job, by a way in, with whatever token.
template <class With>
void by(test::way_in const& way, test::occupied_pool& at, std::atomic<int>& ran, With const& with) {
  auto const job = [&ran] { return ran.fetch_add(1) + 7; };
  if (way.by_permit) {
    with([&, job](auto&& token) {
      return at.permit.async_submit(job, way.options, std::forward<decltype(token)>(token));
    });
  } else {
    with([&, job](auto&& token) {
      return at.pool.async_submit(job, way.options, std::forward<decltype(token)>(token));
    });
  }
}

}  // namespace

TEMPLATE_TEST_CASE("every way in gives every token the same", "[contract][ways_in]", test::callback,
                   test::future, test::awaitable, test::as_tuple, test::as_tuple_deferred,
                   test::deferred, test::in_strand_of_pool, test::in_other_context,
                   test::with_allocator, test::with_slot, test::or_timer, test::in_group) {
  for (auto const& way : test::ways_in()) {
    INFO(way.name);
    std::atomic<int> ran{0};
    test::occupied_pool at{way};
    REQUIRE(at.ready());
    test::home home{at.pool};
    by(way, at, ran, [&](auto const& start) { TestType::begin(home, start); });
    CHECK_FALSE(at.permit);  // spent, if there was one
    if (!at.ends_at_once()) CHECK(ran == 0);
    at.gate.open();
    CHECK(home.until_told());
    CHECK(home.told.why == way.ends);
    CHECK(home.told.result == (way.ends ? 0 : 7));
    CHECK(home.well_placed);
    CHECK(ran == (way.ends ? 0 : 1));
    at.check_books();
    CHECK(home.told.times == 1);
  }
}

TEST_CASE("every way in runs a detached job, or does not", "[contract][ways_in]") {
  for (auto const& way : test::ways_in()) {
    INFO(way.name);
    std::atomic<int> ran{0};
    test::occupied_pool at{way};
    REQUIRE(at.ready());
    by(way, at, ran, [](auto const& start) { start(boost::asio::detached); });
    at.gate.open();
    at.check_books();
    CHECK(ran == (way.ends ? 0 : 1));
  }
}

TEST_CASE("a completion is never inside the call, whatever the way in", "[contract][ways_in]") {
  for (auto const& way : test::ways_in()) {
    INFO(way.name);
    std::atomic<int> ran{0};
    test::occupied_pool at{way};
    REQUIRE(at.ready());
    test::home home{at.pool};
    // On the context whose handler this is: dispatching instead of posting would show.
    boost::asio::post(home.context, [&] {
      by(way, at, ran, [&](auto const& start) { test::in_other_context::begin(home, start); });
      CHECK(home.told.times == 0);
    });
    home.context.poll_one();
    at.gate.open();
    CHECK(home.until_told());
    at.check_books();
  }
}
