// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/drain_watch.hpp>

#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace brigade::detail {

namespace asio = boost::asio;

drain_watch_list::drain_watch_list() : on_(control_context().get_executor()) {}

void drain_watch_list::add(std::uint64_t id, std::unique_ptr<drain_watcher> watcher) {
  asio::post(on_, [self = shared_from_this(), id, watcher = std::move(watcher)]() mutable {
    if (self->drained_) {
      watcher->tell({});
    } else {
      self->waiting_.emplace(id, std::move(watcher));
    }
  });
}

void drain_watch_list::cancel(std::uint64_t id) {
  asio::post(on_, [self = shared_from_this(), id] {
    auto const node = self->waiting_.extract(id);
    if (!node.empty()) node.mapped()->tell(asio::error::operation_aborted);
  });
}

void drain_watch_list::drained() {
  asio::post(on_, [self = shared_from_this()] {
    self->drained_ = true;
    auto const told = std::exchange(self->waiting_, {});
    for (auto const& [id, watcher] : told) watcher->tell({});
  });
}

std::shared_ptr<drain_watch_list> drain_watch::watch() {
  std::call_once(made_, [this] { list_ = std::make_shared<drain_watch_list>(); });
  watched_.store(true, std::memory_order_seq_cst);
  return list_;
}

void drain_watch::drained() {
  if (watched_.load(std::memory_order_seq_cst)) list_->drained();
}

}  // namespace brigade::detail
