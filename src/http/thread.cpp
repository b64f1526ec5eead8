// SPDX-License-Identifier: BSL-1.0
#include "thread.hpp"

#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <signal.h>
#endif

namespace brigade::detail {

namespace {

#if defined(__unix__) || defined(__APPLE__)
/// A new thread inherits the mask of the one that starts it.
class signals_blocked {
 public:
  signals_blocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  signals_blocked(signals_blocked const&) = delete;
  signals_blocked& operator=(signals_blocked const&) = delete;

 private:
  sigset_t before_;
};
#else
struct signals_blocked {};
#endif

void name_this_thread([[maybe_unused]] std::string const& name) noexcept {
#if defined(__linux__)
  char shown[16] = {};
  name.copy(shown, sizeof shown - 1);
  ::pthread_setname_np(::pthread_self(), shown);
#endif
}

}  // namespace

std::thread start_quiet_thread(std::string name, std::function<void()> body) {
  [[maybe_unused]] signals_blocked const for_the_new_thread;
  return std::thread([name = std::move(name), body = std::move(body)] {
    name_this_thread(name);
    body();
  });
}

}  // namespace brigade::detail
