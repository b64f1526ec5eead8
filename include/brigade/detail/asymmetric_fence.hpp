// A pair of fences of which one side is free: for a side that runs for every job, and another that
// runs rarely.
//
// `light_fence` orders an earlier store before a later load for whoever calls `heavy_fence` between
// two accesses of its own: at least one of the two sees the other's store. On Linux the heavy one
// is the membarrier system call, which has every running thread of the process pass a full fence;
// where that is not to be had both are full fences.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

namespace brigade::detail {

/// Whether heavy_fence() does the work of both. Decided once, before main().
extern bool const has_heavy_fence;

inline void light_fence() noexcept {
  if (has_heavy_fence) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the compiler keeps the order
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

/// Cost: some microseconds where other threads of the process run.
void heavy_fence() noexcept;

}  // namespace brigade::detail
