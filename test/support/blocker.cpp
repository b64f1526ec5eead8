// SPDX-License-Identifier: BSL-1.0
#include "support/blocker.hpp"

#include "support/wait_until.hpp"

namespace test {

bool blocker::occupy(brigade::worker_pool& pool, unsigned workers) {
  auto const before = waiting();
  for (unsigned i = 0; i != workers; ++i) {
    if (pool.try_post([this] { wait(); })) return false;
  }
  return wait_until([&] { return waiting() == before + workers; });
}

}  // namespace test
