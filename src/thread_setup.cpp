// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/thread_setup.hpp>

#if defined(__linux__) || defined(__APPLE__)
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#endif

#include <functional>
#include <thread>

namespace brigade::detail {

namespace {

std::uint64_t ask_thread_number() noexcept {
#if defined(__linux__)
  return static_cast<std::uint64_t>(::gettid());
#else
  return std::hash<std::thread::id>{}(std::this_thread::get_id()) | 1;
#endif
}

}  // namespace

void name_this_thread(std::string const& name) noexcept {
#if defined(__linux__)
  char shown[16] = {};
  name.copy(shown, sizeof shown - 1);
  ::pthread_setname_np(::pthread_self(), shown);
#elif defined(__APPLE__)
  ::pthread_setname_np(name.c_str());
#else
  (void)name;
#endif
}

void block_ending_signals() noexcept {
#if defined(__unix__) || defined(__APPLE__)
  sigset_t ending;
  ::sigemptyset(&ending);
  for (int const signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    ::sigaddset(&ending, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
#endif
}

std::uint64_t this_thread_number() noexcept {
  thread_local auto const number = ask_thread_number();
  return number;
}

void heed_signal([[maybe_unused]] int signal) noexcept {
#if defined(__unix__) || defined(__APPLE__)
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
#endif
}

}  // namespace brigade::detail
