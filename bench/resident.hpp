// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace bench {

/// Kilobytes that the process has in memory, after the heap has given back what it can.
double resident_kilobytes();

}  // namespace bench
