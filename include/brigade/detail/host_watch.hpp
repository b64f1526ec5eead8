// Learns that a host's execution context is being destroyed under a pool.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/execution_context.hpp>

namespace brigade::detail {

class pool_core;

/// A service of the host's context: Asio shuts services down, the newest first, while the context
/// can still take (and then destroys uncalled) what is posted to it.
class host_watch : public boost::asio::execution_context::service {
 public:
  static boost::asio::execution_context::id id;

  explicit host_watch(boost::asio::execution_context& context) : service(context) {}

  /// Calls `host_gone()` on the core, if it still lives, when the context goes.
  void add(std::weak_ptr<pool_core> core);

 private:
  void shutdown() override;

  std::mutex mutex_;
  std::vector<std::weak_ptr<pool_core>> cores_;
};

}  // namespace brigade::detail
