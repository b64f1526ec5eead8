// SPDX-License-Identifier: BSL-1.0
#include <brigade/shutdown.hpp>

#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace brigade {

std::string_view to_string(pool_state state) noexcept {
  switch (state) {
    case pool_state::running: return "running";
    case pool_state::lame_duck: return "lame_duck";
    case pool_state::draining: return "draining";
    case pool_state::cancelling: return "cancelling";
    case pool_state::stopped: return "stopped";
  }
  return "unknown";
}

std::string to_string(shutdown_report const& report) {
  auto const seconds = std::chrono::duration<double>(report.elapsed).count();
  auto line = fmt::format("{} after {:.3f} s", to_string(report.reached), seconds);
  auto const out = std::back_inserter(line);
  if (report.signal != 0) fmt::format_to(out, " by signal {}", report.signal);
  fmt::format_to(out, ": {} completed", report.completed);
  for (auto const& [count, what] : {std::pair{report.failed, "failed"},
                                    {report.cancelled, "cancelled"},
                                    {report.expired, "expired"},
                                    {report.shed, "shed"},
                                    {report.abandoned, "abandoned"}}) {
    if (count != 0) fmt::format_to(out, ", {} {}", count, what);
  }
  return line;
}

std::string to_long_string(shutdown_report const& report) {
  auto text = to_string(report);
  for (auto const& job : report.abandoned_jobs) {
    fmt::format_to(std::back_inserter(text), "\n  abandoned: {}", to_string(job));
  }
  return text;
}

}  // namespace brigade
