// press: one body in, one zstd frame out. Knows nothing of HTTP, sockets or pools.
//
// Thread safety: any number of threads at once; each keeps a zstd context of its own for reuse.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stop_token>
#include <string>

namespace press {

/// What `level` may be. zstd has 20 to 22 as well; they take gigabytes for little.
inline constexpr int lowest_level = 1;
inline constexpr int highest_level = 19;
inline constexpr int default_level = 3;

/// Compresses `body` into one zstd frame that names its size and carries a checksum.
///
/// Looks at `abandon` about every quarter of a MiB and gives up, with an empty string, once it is
/// set.
/// Throws: `std::runtime_error` with zstd's own words; `std::bad_alloc`.
std::string compress(std::string const& body, int level, std::stop_token const& abandon = {});

}  // namespace press
