// A mistake that is made on purpose, at one place of the code, to see that it is found.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <source_location>
#include <string>
#include <string_view>

namespace test::schedules {

enum class mistake {
  relaxed,  ///< An access is relaxed.
  weaker,   ///< A sequentially consistent access is an acquiring and releasing one.
  torn,     ///< A read-modify-write is a load and, later, a store.
  late,     ///< A store is put off until the thread's next read-modify-write or fence.
  left_out  ///< What stands there is not done; a question is answered with no.
};

struct mutant {
  char const* name;  // what the mistake is, in words
  mistake what;
  char const* place;     // `class::function access`
  char const* scenario;  // in which it is found
  unsigned line = 0;     // 0: wherever the place says
};

/// `class::function` of a place in the code.
std::string function_of(std::source_location const& at);

/// The mutant that the program is at the moment; null: none.
inline mutant const* made_mistake = nullptr;

/// Whether this mistake is to be made here.
bool mistaken(mistake what, std::source_location const& at, std::string_view access);

/// All that have to be found.
extern mutant const mutants[];
extern std::size_t const mutant_count;

}  // namespace test::schedules
