// What a thread of the library does first.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

namespace brigade::detail {

/// Names the calling thread for debuggers and `ps`; what the system cannot show is cut off.
void name_this_thread(std::string const& name) noexcept;

/// Leaves the signals that end a process to other threads, so that they cut no job's system call
/// short.
void block_ending_signals() noexcept;

/// The system's number of the calling thread, never 0.
std::uint64_t this_thread_number() noexcept;

/// Lets the calling thread take the signal, if it had it blocked.
void heed_signal(int signal) noexcept;

}  // namespace brigade::detail
