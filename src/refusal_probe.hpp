// Whether a tracer is attached to the probe of refusals: without a call, for a refusal takes but a
// few nanoseconds.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#if BRIGADE_USDT
// Above 0 while a tracer is attached; the kernel finds it by its name. Hidden: a program that is
// linked to a shared brigade must not get a copy of its own, which the kernel would not know of.
extern "C" {
extern unsigned short volatile brigade_refused_semaphore
    __attribute__((visibility("hidden"), section(".probes")));
}
#endif

namespace brigade::detail::probes {

inline bool refusals_traced() noexcept {
#if BRIGADE_USDT
  return brigade_refused_semaphore != 0;
#else
  return false;
#endif
}

}  // namespace brigade::detail::probes
