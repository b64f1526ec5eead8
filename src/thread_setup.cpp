// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/thread_setup.hpp>

#if defined(__linux__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace brigade::detail {

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

}  // namespace brigade::detail
