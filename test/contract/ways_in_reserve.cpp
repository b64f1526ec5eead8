// Waiting for a slot alone, with every completion token.
// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/token_kinds.hpp"
#include "support/way_in.hpp"

TEMPLATE_TEST_CASE("async_reserve gives every token the same", "[contract][async_reserve]",
                   test::callback, test::future, test::awaitable, test::as_tuple,
                   test::as_tuple_deferred, test::deferred, test::in_strand_of_pool,
                   test::in_other_context, test::with_allocator, test::with_slot, test::or_timer,
                   test::in_group) {
  using test::room;
  auto const past = brigade::clock::now() - std::chrono::seconds{1};
  for (auto const& way : {
           test::way_in{"with room", room::some, {}},
           test::way_in{"in a lower lane, with room", room::some, {.lane = 1}},
           test::way_in{"when full", room::none, {}},
           test::way_in{"in a lower lane, when full", room::none, {.lane = 1}},
           test::way_in{
               "when full, by the past", room::none, {.start_by = past}, brigade::errc::expired},
           test::way_in{"when closed", room::closed, {}, brigade::errc::closed},
       }) {
    INFO(way.name);
    test::occupied_pool at{way};
    REQUIRE(at.ready());
    test::home home{at.pool};
    TestType::begin(home, [&](auto&& token) {
      return at.pool.async_reserve(way.options, std::forward<decltype(token)>(token));
    });
    at.gate.open();
    CHECK(home.until_told());
    CHECK(home.told.why == way.ends);
    CHECK(home.told.result == (way.ends ? 0 : 1));
    CHECK(home.well_placed);
    at.pool.join();
    CHECK(home.told.times == 1);
    auto const m = at.pool.metrics();
    CHECK(m.permits + m.waiting == 0);
    CHECK(m.admitted == m.completed);
    CHECK(m.rejected.expired == (way.ends == brigade::errc::expired ? 1U : 0U));
  }
}
