// What runs in a pool at this moment, and for how long already.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/report.hpp>
#include <brigade/detail/steady_clock.hpp>

namespace brigade::detail {

std::chrono::nanoseconds pool_core::longest_running() const noexcept {
  auto earliest = std::numeric_limits<std::int64_t>::max();
  for (unsigned slot = 0; slot != options_.threads; ++slot) {
    auto const found = activities_[slot].read();
    if (found.now == worker_activity::phase::job) earliest = std::min(earliest, found.since);
  }
  auto const none = earliest == std::numeric_limits<std::int64_t>::max();
  return std::chrono::nanoseconds{
      none ? 0 : std::max<std::int64_t>(0, steady_nanoseconds() - earliest)};
}

std::vector<running_job> pool_core::running() const {
  std::vector<running_job> found;
  auto const now = steady_nanoseconds();
  auto const add = [&](char const* name, std::int64_t since, std::uint64_t thread,
                       running_job::kind what) {
    std::chrono::nanoseconds const age{std::max<std::int64_t>(0, now - since)};
    found.push_back({name != nullptr ? name : "", age, thread, what});
  };
  for (unsigned slot = 0; slot != options_.threads; ++slot) {
    auto const on_worker = activities_[slot].read();
    if (on_worker.now == worker_activity::phase::resting) continue;
    bool const in_job = on_worker.now == worker_activity::phase::job;
    add(on_worker.name, on_worker.since, on_worker.thread,
        in_job ? running_job::kind::job : running_job::kind::handler);
  }
  registry_.visit([&](stoppable const& job) {
    if (auto const started = job.off_worker()) {
      add(started->name, started->since, 0, running_job::kind::coroutine);
    }
  });
  return found;
}

pool_dump pool_core::dump() const { return {options_.name, metrics(), running()}; }

void pool_core::tell_stuck(running_job job) noexcept {
  stuck_jobs_.fetch_add(1, std::memory_order_relaxed);
  try {
    stuck_job const told{std::move(job), options_.name};
    if (options_.on_stuck_job) {
      options_.on_stuck_job(told);
    } else {
      print_line(told.pool, fmt::format("stuck: {}", to_string(told)));
    }
  } catch (...) {
    report_handler_error(std::current_exception());
  }
}

}  // namespace brigade::detail
