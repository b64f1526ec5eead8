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

namespace brigade::detail::probes {

/// Whether a tracer is attached to a probe of jobs.
bool jobs_traced() noexcept;

void admitted(char const* pool, job_note const& job) noexcept;
void refused(char const* pool, char const* reason) noexcept;
void started(char const* pool, job_note const& job, std::int64_t queue_wait) noexcept;
void finished(char const* pool, job_note const& job, char const* outcome, std::int64_t queue_wait,
              std::int64_t run_time) noexcept;
void worker_sleep(char const* pool, unsigned worker) noexcept;
void worker_wake(char const* pool, unsigned worker) noexcept;

}  // namespace brigade::detail::probes
