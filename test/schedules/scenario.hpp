// A few threads that use a part of the library, and what must hold of it whatever they do first.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <span>

#include "schedules/decisions.hpp"
#include "schedules/world.hpp"

namespace test::schedules {

struct scenario {
  char const* name;
  /// Makes the threads, runs the world, and says what has failed.
  void (*play)(world&);
  limits searched;  // of the search, by default
  limits deeply;    // and where there is time
};

extern std::span<scenario const> const ring_scenarios;
extern std::span<scenario const> const admission_scenarios;
extern std::span<scenario const> const crew_scenarios;
extern std::span<scenario const> const pool_scenarios;
extern std::span<scenario const> const ending_scenarios;
extern std::span<scenario const> const line_scenarios;

}  // namespace test::schedules
