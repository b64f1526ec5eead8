// press: how long a client should stay away that found the pool full.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/worker_pool.hpp>
#include <chrono>

namespace press {

/// For a Retry-After field: about as long as a body waits for a worker now; whole seconds, 1 to 60.
std::chrono::seconds retry_after(brigade::worker_pool const& pool);

}  // namespace press
