// press: the limits that no option sets.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>

namespace press {

using std::chrono::milliseconds;

inline constexpr std::size_t header_limit = 16 * 1024;  ///< request line and header fields
inline constexpr std::size_t buffer_limit = 64 * 1024;  ///< bytes read and not yet parsed
inline constexpr std::size_t read_size = 4 * 1024;      ///< one read where no body is expected
inline constexpr std::size_t read_ahead = 16 * 1024;    ///< of requests behind the one in work
inline constexpr std::size_t skip_limit = 64 * 1024;    ///< an unwanted body up to here is read

inline constexpr milliseconds linger{5'000};      ///< for the client to see the end of its answer
inline constexpr milliseconds short_linger{500};  ///< the same once the service is closing
inline constexpr milliseconds last_call{250};     ///< for requests on their way when it ends
inline constexpr milliseconds accept_pause{100};  ///< after a connection could not be accepted

}  // namespace press
