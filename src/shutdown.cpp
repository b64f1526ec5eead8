// SPDX-License-Identifier: BSL-1.0
#include <brigade/shutdown.hpp>

namespace brigade {

std::string_view to_string(pool_state state) noexcept {
  switch (state) {
    case pool_state::running: return "running";
    case pool_state::lame_duck: return "lame_duck";
    case pool_state::draining: return "draining";
    case pool_state::cancelling: return "cancelling";
    case pool_state::stopped: return "stopped";
  }
  return "unknown";
}

}  // namespace brigade
