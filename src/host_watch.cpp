// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/host_watch.hpp>

#include <algorithm>
#include <utility>

#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

boost::asio::execution_context::id host_watch::id;

void host_watch::add(std::weak_ptr<pool_core> core) {
  std::lock_guard const lock(mutex_);
  std::erase_if(cores_, [](auto const& known) { return known.expired(); });
  cores_.push_back(std::move(core));
}

void host_watch::shutdown() {
  std::unique_lock lock(mutex_);
  auto const cores = std::exchange(cores_, {});
  lock.unlock();
  for (auto const& core : cores) {
    if (auto const alive = core.lock()) alive->host_gone();
  }
}

}  // namespace brigade::detail
