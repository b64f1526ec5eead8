// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/signal_dispositions.hpp>

#include <csignal>
#include <map>
#include <mutex>

#include <brigade/detail/thread_setup.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <signal.h>
#define BRIGADE_HAS_SIGACTION 1
#endif

namespace brigade::detail {

#if defined(BRIGADE_HAS_SIGACTION)

namespace {

struct held {
  unsigned holders = 0;
  struct sigaction before {};
};

struct all_held {
  std::mutex mutex;
  std::map<int, held> by_signal;
};

// Never destroyed: a pool of static storage may end while the process does.
all_held& all() {
  static auto& held_ones = *new all_held;
  return held_ones;
}

}  // namespace

void hold_disposition(int signal) {
  std::lock_guard const lock(all().mutex);
  auto& entry = all().by_signal[signal];
  if (entry.holders++ == 0) ::sigaction(signal, nullptr, &entry.before);
}

void restore_disposition(int signal) noexcept {
  std::lock_guard const lock(all().mutex);
  auto const found = all().by_signal.find(signal);
  if (found == all().by_signal.end() || --found->second.holders != 0) return;
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  // Asio goes back to the default when nobody catches a signal any more.
  if (now.sa_handler == SIG_DFL) ::sigaction(signal, &found->second.before, nullptr);
  all().by_signal.erase(found);
}

#else

void hold_disposition(int) {}
void restore_disposition(int) noexcept {}

#endif

// To this thread, and unblocked in it: another thread might have the signal blocked, or take it by
// sigwait().
void raise_by_default(int signal) noexcept {
  std::signal(signal, SIG_DFL);
  heed_signal(signal);
  std::raise(signal);
}

}  // namespace brigade::detail
