// SPDX-License-Identifier: BSL-1.0
#include <brigade/pool_dump.hpp>

#include <chrono>
#include <iterator>

namespace brigade {

std::string to_string(pool_dump const& dump) {
  auto const& now = dump.metrics;
  auto text = fmt::format(
      "brigade: pool '{}' is {}: {} of {} workers busy; {} jobs run, {} wait, of at most {}",
      dump.pool, to_string(now.state), now.active_workers, now.workers, now.running_jobs,
      now.queued_jobs, now.capacity);
  auto const out = std::back_inserter(text);
  if (now.queued_jobs != 0) {
    fmt::format_to(out, "; the oldest has waited for {:.3f} s",
                   std::chrono::duration<double>(now.oldest_queued_age).count());
  }
  if (now.waiting != 0) fmt::format_to(out, "; {} submitters wait for a slot", now.waiting);
  text += '\n';
  for (auto const& job : dump.running) fmt::format_to(out, "  {}\n", to_string(job));
  return text;
}

}  // namespace brigade
