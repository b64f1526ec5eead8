// brigade: the states through which a pool ends, how long each may take, and what came of it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <brigade/running_job.hpp>

namespace brigade {

/// The life of a pool. States only move forward.
enum class pool_state {
  running,     ///< Jobs are admitted.
  lame_duck,   ///< Jobs are still admitted, but the end has been announced.
  draining,    ///< `close()`: nobody is admitted but running jobs; accepted jobs run on.
  cancelling,  ///< `stop()`: queued jobs are cancelled, running ones have been asked to stop.
  stopped,     ///< Nothing is in flight and nothing ever will be.
};

/// The name of a state, as written above.
std::string_view to_string(pool_state state) noexcept;

/// How long each phase of `worker_pool::async_shutdown` may take. Not negative; more than ten years
/// is taken as ten years.
struct shutdown_options {
  /// Jobs are still admitted, while load balancers learn that this process is going. 0: not at all.
  std::chrono::milliseconds lame_duck{0};
  /// Accepted jobs run on. A pool that has drained goes no further.
  std::chrono::milliseconds drain{20'000};
  /// Queued jobs have been cancelled and running ones asked to stop. What runs for longer is
  /// abandoned: never waited for.
  std::chrono::milliseconds cancel{3'000};
};

/// How async_shutdown_all ends several pools.
enum class shutdown_order {
  together,           ///< All at the same time.
  one_after_another,  ///< In the order in which they are given, as one that feeds the next.
};

struct pool_dump;

/// When and how async_run_until_signal (signals.hpp) ends a pool.
struct signal_options {
  /// What begins the shutdown. At least one.
  std::vector<int> signals{SIGINT, SIGTERM};
  /// The times of the phases: see shutdown_options.
  std::chrono::milliseconds lame_duck{0};
  std::chrono::milliseconds drain{20'000};
  std::chrono::milliseconds cancel{3'000};
  /// Called with each state that the shutdown reaches, on the library's control thread, which
  /// serves every pool of the process: do not block it. An exception that leaves it goes to
  /// `on_handler_error`.
  std::function<void(pool_state)> on_phase{};
  /// A signal, such as SIGUSR1, upon which the pool says what it is doing; none of `signals`.
  std::optional<int> dump_on{};
  /// What it says it to, in the thread that handles the signals; see on_phase. Default: stderr.
  std::function<void(pool_dump const&)> on_dump{};
};

/// How a shutdown went. The counts are those of the pool's whole life.
struct shutdown_report {
  /// What began it: the number of a signal, or 0.
  int signal = 0;
  /// `stopped`, or `cancelling` where jobs were abandoned.
  pool_state reached = pool_state::running;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t expired = 0;
  std::uint64_t shed = 0;
  /// Jobs that were still running when the time was up.
  std::uint64_t abandoned = 0;
  /// From the beginning of the shutdown to its end.
  std::chrono::nanoseconds elapsed{0};
  /// How many of `cancelled` had been cancelled before the shutdown began.
  std::uint64_t cancelled_before = 0;
  /// What was abandoned, as far as it was still there when this was written down.
  std::vector<abandoned_job> abandoned_jobs{};

  /// For `main`: 0 drained; 1 where the shutdown cancelled or abandoned jobs.
  [[nodiscard]] int exit_code() const noexcept {
    return abandoned != 0 || cancelled > cancelled_before ? 1 : 0;
  }
};

/// One line, as `stopped after 0.120 s by signal 15: 40 completed, 1 cancelled`. Outcomes that did
/// not occur are left out, but for `completed`. fmt prints a report the same way.
std::string to_string(shutdown_report const& report);

/// The same, and a line for each abandoned job. With fmt: `{:l}`.
std::string to_long_string(shutdown_report const& report);

}  // namespace brigade

template <>
struct fmt::formatter<brigade::shutdown_report> : fmt::formatter<std::string> {
  constexpr auto parse(fmt::format_parse_context& context) -> decltype(context.begin()) {
    auto const* const at = context.begin();
    long_ = at != context.end() && *at == 'l' && (at + 1 == context.end() || at[1] == '}');
    return long_ ? at + 1 : fmt::formatter<std::string>::parse(context);
  }

  template <class Context>
  auto format(brigade::shutdown_report const& report, Context& context) const {
    return fmt::formatter<std::string>::format(
        long_ ? brigade::to_long_string(report) : brigade::to_string(report), context);
  }

 private:
  bool long_ = false;
};
