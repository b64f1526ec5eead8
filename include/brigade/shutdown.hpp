// brigade: the states through which a pool ends.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

namespace brigade {

/// The life of a pool. States only move forward.
enum class pool_state {
  running,     ///< Jobs are admitted.
  lame_duck,   ///< Jobs are still admitted, but the end has been announced.
  draining,    ///< `close()`: nobody is admitted but running jobs; accepted jobs run on.
  cancelling,  ///< `stop()`: queued jobs are cancelled, running ones have been asked to stop.
  stopped,     ///< Nothing is in flight and nothing ever will be.
};

/// The name of a state, as written above.
std::string_view to_string(pool_state state) noexcept;

}  // namespace brigade
