// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/job_ring.hpp>

#include <cstdint>
#include <cstdlib>
#include <new>

namespace brigade::detail {

// Zeroed memory is a ring of free cells: a mark of zero means free. A large calloc is untouched
// pages, so a pool with room for a million jobs costs what its busiest moment used.
job_ring::job_ring(std::size_t size)
    : block_(std::calloc(size + 1, sizeof(inline_job))),
      notes_(static_cast<std::uint64_t*>(std::calloc(size, sizeof(std::uint64_t)))),
      mask_(size - 1) {
  if (block_ == nullptr || notes_ == nullptr) throw std::bad_alloc{};
  auto const address = reinterpret_cast<std::uintptr_t>(block_.get());
  auto const line = std::uintptr_t{sizeof(inline_job)};
  cells_ = reinterpret_cast<inline_job*>((address + line - 1) / line * line);
}

void job_ring::release_block::operator()(void* block) const noexcept { std::free(block); }

}  // namespace brigade::detail
