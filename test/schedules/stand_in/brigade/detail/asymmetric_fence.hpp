// The asymmetric fence as its header promises it, and no more: a light fence and a heavy one have
// an order, two light ones have none.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <source_location>

#include "schedules/world.hpp"

namespace brigade::detail {

inline void light_fence(std::source_location at = std::source_location::current()) noexcept {
  test::schedules::world::current().light_fence(at);
}
inline void heavy_fence(std::source_location at = std::source_location::current()) noexcept {
  test::schedules::world::current().heavy_fence(at);
}

}  // namespace brigade::detail
