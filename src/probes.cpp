// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/probes.hpp>

#include "refusal_probe.hpp"

#if BRIGADE_USDT

#define _SDT_HAS_SEMAPHORES 1  // its name. NOLINT(bugprone-reserved-identifier)
#include <sys/sdt.h>

// While a tracer is attached to a probe, the kernel keeps the probe's semaphore above 0. Those of
// jobs are one variable under three names, so that there is one to look at. Hidden, as the one of
// refusals.
extern "C" {
#define BRIGADE_SEMAPHORE(name, attribute)                  \
  extern unsigned short volatile brigade_##name##_semaphore \
      __attribute__((visibility("hidden"), attribute))
BRIGADE_SEMAPHORE(admitted, section(".probes"));
BRIGADE_SEMAPHORE(worker_sleep, section(".probes"));
BRIGADE_SEMAPHORE(worker_wake, section(".probes"));
unsigned short volatile brigade_admitted_semaphore = 0;
unsigned short volatile brigade_refused_semaphore = 0;
unsigned short volatile brigade_worker_sleep_semaphore = 0;
unsigned short volatile brigade_worker_wake_semaphore = 0;
BRIGADE_SEMAPHORE(started, alias("brigade_admitted_semaphore"));
BRIGADE_SEMAPHORE(finished, alias("brigade_admitted_semaphore"));
#undef BRIGADE_SEMAPHORE
}

namespace brigade::detail::probes {

bool jobs_traced() noexcept { return brigade_admitted_semaphore != 0; }

void admitted(char const* pool, job_note const& job) noexcept {
  STAP_PROBE3(brigade, admitted, pool, job.number, job.name);
}
void refused(char const* pool, char const* reason) noexcept {
  STAP_PROBE2(brigade, refused, pool, reason);
}
void started(char const* pool, job_note const& job, std::int64_t queue_wait) noexcept {
  STAP_PROBE4(brigade, started, pool, job.number, job.name, queue_wait);
}
void finished(char const* pool, job_note const& job, char const* outcome, std::int64_t queue_wait,
              std::int64_t run_time) noexcept {
  STAP_PROBE6(brigade, finished, pool, job.number, job.name, outcome, queue_wait, run_time);
}
void worker_sleep(char const* pool, unsigned worker) noexcept {
  STAP_PROBE2(brigade, worker_sleep, pool, worker);
}
void worker_wake(char const* pool, unsigned worker) noexcept {
  STAP_PROBE2(brigade, worker_wake, pool, worker);
}

}  // namespace brigade::detail::probes

#else

namespace brigade::detail::probes {

bool jobs_traced() noexcept { return false; }
void admitted(char const*, job_note const&) noexcept {}
void refused(char const*, char const*) noexcept {}
void started(char const*, job_note const&, std::int64_t) noexcept {}
void finished(char const*, job_note const&, char const*, std::int64_t, std::int64_t) noexcept {}
void worker_sleep(char const*, unsigned) noexcept {}
void worker_wake(char const*, unsigned) noexcept {}

}  // namespace brigade::detail::probes

#endif
