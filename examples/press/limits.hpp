// press: the limits that no option sets.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace press {

using std::chrono::milliseconds;

inline constexpr std::size_t header_limit = 16 * 1024;  ///< request line and header fields
inline constexpr std::size_t buffer_limit = 64 * 1024;  ///< bytes read and not yet parsed
inline constexpr std::size_t read_size = 4 * 1024;      ///< one read where no body is expected
inline constexpr std::size_t read_ahead = 16 * 1024;    ///< of requests behind the one in work
inline constexpr std::size_t skip_limit = 64 * 1024;    ///< an unwanted body up to here is read

/// Bytes a second. A body or an answer that is slower, all in all, is a pause.
inline constexpr std::uint64_t least_rate = 512;

inline constexpr milliseconds ask_again{1'000};   ///< whether a half-closed client is still there
inline constexpr milliseconds linger{5'000};      ///< for the client to see the end of its answer
inline constexpr milliseconds short_linger{500};  ///< the same once the service is closing
inline constexpr milliseconds last_call{250};     ///< for requests on their way when it ends
inline constexpr milliseconds accept_pause{100};  ///< after a connection could not be accepted
inline constexpr std::chrono::minutes accept_silence{1};  ///< between two lines that say so

}  // namespace press
