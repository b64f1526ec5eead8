// What signals do to a pool: the first begins its shutdown, the second hurries it, the third is let
// through; another one may ask for a dump.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <brigade/detail/shutdown_sequence.hpp>
#include <brigade/pool_dump.hpp>
#include <brigade/shutdown.hpp>

namespace brigade::detail {

class pool_core;

/// Used by one thread at a time.
class signal_reaction {
 public:
  signal_reaction(std::shared_ptr<pool_core> const& core, signal_options const& options);

  /// Acts on a signal. False: it is to be let through by raise_by_default().
  bool caught(int signal);

  shutdown_sequence& sequence() noexcept { return *sequence_; }

 private:
  void dump(pool_core& core) const noexcept;

  std::weak_ptr<pool_core> core_;
  std::shared_ptr<shutdown_sequence> sequence_;
  shutdown_options times_;
  std::optional<int> dump_on_;
  std::function<void(pool_dump const&)> on_dump_;
  int seen_ = 0;
};

}  // namespace brigade::detail
