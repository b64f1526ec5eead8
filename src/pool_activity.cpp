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

namespace {

running_job on_worker(worker_activity::reading const& found, std::int64_t now) {
  return {found.name != nullptr ? found.name : "",
          std::chrono::nanoseconds{std::max<std::int64_t>(0, now - found.since)}, found.thread,
          found.now == worker_activity::phase::job ? running_job::kind::job
                                                   : running_job::kind::handler};
}

}  // namespace

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
  for (unsigned slot = 0; slot != options_.threads; ++slot) {
    auto const seen = activities_[slot].read();
    if (seen.now != worker_activity::phase::resting) found.push_back(on_worker(seen, now));
  }
  registry_.visit([&](stoppable const& job) {
    auto const started = job.off_worker();
    if (!started) return;
    std::chrono::nanoseconds const age{std::max<std::int64_t>(0, now - started->since)};
    found.push_back(
        {started->name != nullptr ? started->name : "", age, 0, running_job::kind::coroutine});
  });
  return found;
}

std::vector<running_job> pool_core::stuck() const {
  std::vector<running_job> found;
  for (unsigned slot = 0; slot != options_.threads; ++slot) {
    auto const seen = activities_[slot].read();
    if (!seen.stuck || seen.now == worker_activity::phase::resting) continue;
    found.push_back(on_worker(seen, steady_nanoseconds()));
  }
  return found;
}

pool_dump pool_core::dump() const { return {options_.name, metrics(), running()}; }

void pool_core::tell_stuck(running_job job) noexcept {
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
