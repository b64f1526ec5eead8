// SPDX-License-Identifier: BSL-1.0
#include <brigade/pool_view.hpp>

#include <mutex>

#include <brigade/detail/pool_core.hpp>

namespace brigade {

std::optional<pool_metrics> pool_view::metrics() const {
  if (!link_) return {};
  std::lock_guard const lock(link_->mutex);
  if (link_->core == nullptr) return {};
  return link_->core->metrics();
}

bool pool_view::expired() const {
  if (!link_) return true;
  std::lock_guard const lock(link_->mutex);
  return link_->core == nullptr;
}

}  // namespace brigade
