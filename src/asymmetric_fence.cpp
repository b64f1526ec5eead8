// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/asymmetric_fence.hpp>

#if defined(__linux__) && __has_include(<linux/membarrier.h>)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#define BRIGADE_HAS_MEMBARRIER 1
#endif

namespace brigade::detail {

#if defined(BRIGADE_HAS_MEMBARRIER)

namespace {

bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

}  // namespace

bool const has_heavy_fence = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);

void heavy_fence() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (has_heavy_fence) membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

#else

bool const has_heavy_fence = false;

void heavy_fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }

#endif

}  // namespace brigade::detail
