// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/stuck_watch.hpp>

#include <algorithm>
#include <utility>

#include <brigade/detail/control_context.hpp>
#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

void stuck_watch::begin(std::shared_ptr<pool_core> const& core) {
  if (core->options().stuck_after.count() == 0) return;
  std::make_shared<stuck_watch>(core)->wait();
}

stuck_watch::stuck_watch(std::shared_ptr<pool_core> const& core)
    : core_(core),
      after_(core->options().stuck_after),
      workers_(core->options().threads),
      timer_(control_context()) {}

void stuck_watch::wait() {
  using namespace std::chrono_literals;
  timer_.expires_after(std::clamp<std::chrono::nanoseconds>(after_ / 4, 1ms, 1s));
  timer_.async_wait([self = shared_from_this()](boost::system::error_code) {
    auto const core = self->core_.lock();
    if (!core) return;
    self->look(*core);
    self->wait();
  });
}

void stuck_watch::look(pool_core& core) {
  auto const now =
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  for (unsigned slot = 0; slot != workers_.size(); ++slot) {
    using phase = worker_activity::phase;
    auto const found = core.activity_of(slot).read();
    if (found.now == phase::resting) continue;
    auto& seen = workers_[slot];
    if (seen.job != found.job) seen = {found.job, now, false};
    std::chrono::nanoseconds const age{now - (found.exact ? found.since : seen.first_seen)};
    if (age <= after_ || std::exchange(seen.told, true)) continue;
    core.activity_of(slot).note_stuck(found.job);
    core.tell_stuck(
        {found.name != nullptr ? found.name : "", age, found.thread,
         found.now == phase::job ? running_job::kind::job : running_job::kind::handler});
  }
}

}  // namespace brigade::detail
