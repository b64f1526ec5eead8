// SPDX-License-Identifier: BSL-1.0
#include "service.hpp"

#include <utility>
#include <vector>

#include "connection.hpp"

namespace press {

service::service(asio::any_io_executor single_thread, options chosen)
    : settings(std::move(chosen)),
      control(std::move(single_thread)),
      uploads(control),
      connections(control),
      pool(brigade::pool_options{
          .threads = settings.threads,
          .capacity = settings.capacity,
          .name = "press",
          .lanes = {{.weight = 4, .name = "normal"}, {.weight = 1, .name = "low"}},
          .stuck_after = settings.stuck_after}) {}

void service::enter(phase next) {
  for (auto now = phase_.load(); now < next && !phase_.compare_exchange_weak(now, next);) {
  }
  std::vector<std::shared_ptr<connection>> alive;  // outlives the lock: ~connection() takes it too
  {
    auto const lock = std::scoped_lock{mutex_};
    alive.reserve(clients_.size());
    for (auto const& [address, client] : clients_) alive.push_back(client.lock());
  }
  for (auto const& client : alive) {
    if (client) client->tell_phase();
  }
}

void service::add(std::shared_ptr<connection> const& client) {
  auto const lock = std::scoped_lock{mutex_};
  clients_.emplace(client.get(), client);
}

void service::remove(connection const* client) {
  auto const lock = std::scoped_lock{mutex_};
  clients_.erase(client);
}

}  // namespace press
