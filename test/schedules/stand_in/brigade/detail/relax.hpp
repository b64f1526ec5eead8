// Waiting loops, in a world under control.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "schedules/world.hpp"

namespace brigade::detail {

inline void pause() noexcept {}
inline void relax(unsigned) noexcept { test::schedules::world::current().spin(); }
inline void prefetch_for_write(void const*) noexcept {}

}  // namespace brigade::detail
