// What the machine itself needs: no pool can be faster.
// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace bench {

/// Nanoseconds for a cache line from one core to another and back.
double cache_line_trip(long trips);

/// Nanoseconds for waking a sleeping thread, and being woken by it.
double wake_up_trip(long trips);

/// Nanoseconds an item through a ring of 1024 with one producer and one consumer.
double single_producer_ring(long items);

}  // namespace bench
