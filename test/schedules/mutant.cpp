// SPDX-License-Identifier: BSL-1.0
#include "schedules/mutant.hpp"

namespace test::schedules {

std::string function_of(std::source_location const& at) {
  std::string_view name = at.function_name();
  name = name.substr(0, name.find('('));
  if (auto const space = name.rfind(' '); space != name.npos) name.remove_prefix(space + 1);
  // The class and the function are enough.
  if (auto last = name.rfind("::"); last != name.npos && last != 0) {
    if (auto const before = name.rfind("::", last - 1); before != name.npos) {
      name.remove_prefix(before + 2);
    }
  }
  return std::string(name);
}

bool mistaken(mistake what, std::source_location const& at, std::string_view access) {
  if (made_mistake == nullptr || made_mistake->what != what) return false;
  if (made_mistake->line != 0 && made_mistake->line != at.line()) return false;
  std::string_view const place = made_mistake->place;
  if (!place.ends_with(access)) return false;
  return place == function_of(at) + ' ' + std::string(access);
}

}  // namespace test::schedules
