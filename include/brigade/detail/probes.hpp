// USDT probes: places in the program that tracers such as bpftrace and perf can attach to from
// outside. A probe that nobody is attached to is a no-op instruction; what a probe of a job costs
// beyond that (a time stamp) is done only while somebody is. See docs/tracing.md.
//
// All of them are in one source file of the library, so a program that uses brigade needs nothing
// to have them. Without BRIGADE_USDT the functions do nothing.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <brigade/detail/job_note.hpp>

// Above 0 while a tracer is attached to the probe of refusals. The name is the kernel's to find.
// Hidden: a program that is linked to a shared brigade must not get a copy of its own, which the
// kernel would not know of.
extern "C" {
extern unsigned short volatile brigade_refused_semaphore __attribute__((visibility("hidden")));
}

namespace brigade::detail::probes {

/// Whether a tracer is attached to a probe of jobs.
bool jobs_traced() noexcept;
/// The same of refusals. For the library's own sources. No call: a refusal takes a few nanoseconds.
inline bool refusals_traced() noexcept { return brigade_refused_semaphore != 0; }

void admitted(char const* pool, job_note const& job) noexcept;
void refused(char const* pool, char const* reason) noexcept;
void started(char const* pool, job_note const& job, std::int64_t queue_wait) noexcept;
void finished(char const* pool, job_note const& job, char const* outcome, std::int64_t queue_wait,
              std::int64_t run_time) noexcept;
void worker_sleep(char const* pool, unsigned worker) noexcept;
void worker_wake(char const* pool, unsigned worker) noexcept;

}  // namespace brigade::detail::probes
