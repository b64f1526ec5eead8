// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/backoff_steps.hpp>

#include <limits>
#include <stdexcept>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using brigade::backoff_policy;
using brigade::detail::backoff_steps;
using brigade::detail::check_backoff;
using Catch::Matchers::Contains;

TEST_CASE("the bound of the pause grows by the factor, up to the most", "[unit][backoff_steps]") {
  backoff_steps steps({.first = 10ms, .most = 50ms, .factor = 2, .tries = 6, .total = 1h});
  CHECK(steps.next(0ms, 1) == 10ms);
  CHECK(steps.next(0ms, 1) == 20ms);
  CHECK(steps.next(0ms, 1) == 40ms);
  CHECK(steps.next(0ms, 1) == 50ms);
  CHECK(steps.next(0ms, 1) == 50ms);
}

TEST_CASE("a pause is any part of its bound, none included", "[unit][backoff_steps]") {
  backoff_steps steps({.first = 10ms, .most = 1000ms, .factor = 2, .tries = 5, .total = 1h});
  CHECK(steps.next(0ms, 0) == 0ms);
  CHECK(steps.next(0ms, 0.5) == 10ms);
  CHECK(steps.next(0ms, 0.25) == 10ms);
}

TEST_CASE("there are as many pauses as tries without the first", "[unit][backoff_steps]") {
  backoff_steps three({.tries = 3, .total = 1h});
  CHECK(three.next(0ms, 0.5));
  CHECK(three.next(0ms, 0.5));
  CHECK_FALSE(three.next(0ms, 0.5));
  backoff_steps one({.tries = 1, .total = 1h});
  CHECK_FALSE(one.next(0ms, 0));
}

TEST_CASE("no pause ends after the total", "[unit][backoff_steps]") {
  backoff_steps steps({.first = 10ms, .most = 10ms, .factor = 1, .tries = 9, .total = 25ms});
  CHECK(steps.next(15ms, 1) == 10ms);
  CHECK_FALSE(steps.next(16ms, 1));
  CHECK(steps.next(16ms, 0.5) == 5ms);  // a shorter one is still in time
  CHECK_FALSE(steps.next(26ms, 0));
  backoff_steps none({.tries = 9, .total = 0ms});
  CHECK_FALSE(none.next(1ns, 0));
}

TEST_CASE("a bound that grows fast does not overflow", "[unit][backoff_steps]") {
  backoff_steps steps(
      {.first = 3'600'000ms, .most = 3'600'000ms, .factor = 1000, .tries = 500, .total = 24h});
  for (int i = 0; i != 400; ++i) CHECK(steps.next(0ms, 1) == 1h);
}

TEST_CASE("a bad policy is refused with the member's name and value", "[unit][backoff_steps]") {
  auto const not_a_number = std::numeric_limits<double>::quiet_NaN();
  CHECK_NOTHROW(check_backoff({}));
  CHECK_THROWS_WITH(check_backoff({.first = 0ms}), Contains("first: 0") && Contains("give 1 to"));
  CHECK_THROWS_WITH(check_backoff({.first = -5ms}), Contains("first: -5"));
  CHECK_THROWS_WITH(check_backoff({.first = 2000ms}),
                    Contains("most: 1000") && Contains("2000 to"));
  CHECK_THROWS_WITH(check_backoff({.most = 3'600'001ms}), Contains("most: 3600001"));
  CHECK_THROWS_WITH(check_backoff({.factor = 0.5}), Contains("factor: 0.5"));
  CHECK_THROWS_WITH(check_backoff({.factor = not_a_number}), Contains("factor: nan"));
  CHECK_THROWS_WITH(check_backoff({.tries = 0}), Contains("tries: 0"));
  CHECK_THROWS_WITH(check_backoff({.total = -1ms}), Contains("total: -1"));
  CHECK_THROWS_AS(check_backoff({.tries = 0}), std::invalid_argument);
}
