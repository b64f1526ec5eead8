// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/deadline_set.hpp>

#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

namespace brigade::detail {

namespace asio = boost::asio;

deadline_set::deadline_set() : on_(control_context().get_executor()), timer_(on_) {}

void deadline_set::add(deadline& one, clock::time_point at, std::weak_ptr<void> owner) {
  {
    std::lock_guard const lock(mutex_);
    one.at_ = at;
    one.owner_ = std::move(owner);
    one.in_set_ = true;
    by_time_.insert(one);
    if (at >= timer_is_for_) return;
    timer_is_for_ = at;
  }
  try {
    asio::post(on_, [self = shared_from_this()] { self->set_timer(); });
  } catch (...) {
    {
      std::lock_guard const lock(mutex_);
      timer_is_for_ = clock::time_point::max();  // unknown: whoever comes next sets it
    }
    remove(one);
    throw;
  }
}

void deadline_set::remove(deadline& one) noexcept {
  std::lock_guard const lock(mutex_);
  if (!one.in_set_) return;
  one.in_set_ = false;
  by_time_.erase(by_time_.iterator_to(one));
}

void deadline_set::forget_timer() {
  asio::post(on_, [self = shared_from_this()] { self->timer_.cancel(); });
}

// An earlier wait that is replaced here completes with an error.
void deadline_set::set_timer() {
  {
    std::lock_guard const lock(mutex_);
    timer_is_for_ = by_time_.empty() ? clock::time_point::max() : by_time_.begin()->at();
    if (by_time_.empty()) return;
    timer_.expires_at(timer_is_for_);
  }
  timer_.async_wait([self = shared_from_this()](boost::system::error_code replaced) {
    if (!replaced) self->expire_all();
  });
}

void deadline_set::expire_all() {
  std::vector<std::pair<std::shared_ptr<void>, deadline*>> expired;
  {
    std::lock_guard const lock(mutex_);
    auto const now = clock::now();
    while (!by_time_.empty() && by_time_.begin()->at() <= now) {
      auto& one = *by_time_.begin();
      expired.emplace_back(one.owner_.lock(), &one);
      by_time_.erase(by_time_.begin());
      one.in_set_ = false;
    }
  }
  for (auto const& [owner, one] : expired) {
    if (owner) one->expire();
  }
  set_timer();
}

}  // namespace brigade::detail
