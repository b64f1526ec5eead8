// A thread that no signal is delivered to.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace brigade::detail {

/// Starts a thread that runs `body`, is called `name` (15 bytes of it) where the system can, and
/// has all signals blocked from its first instruction on: those of the process go to other threads.
///
/// Throws: `std::system_error` if the thread cannot be started.
std::thread start_quiet_thread(std::string name, std::function<void()> body);

}  // namespace brigade::detail
