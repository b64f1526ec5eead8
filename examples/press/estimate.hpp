// press: how long a client should stay away that found the pool full.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/worker_pool.hpp>
#include <chrono>

namespace press {

/// How long a job that came now would wait for a worker, about: as long as the next one to be
/// started has waited already.
std::chrono::nanoseconds estimated_wait(brigade::worker_pool const& pool);

/// The same for a Retry-After field: whole seconds, 1 to 60.
std::chrono::seconds retry_after(brigade::worker_pool const& pool);

}  // namespace press
