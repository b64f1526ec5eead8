// How and why a job ends that does not run.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/detail/job_queue.hpp>
#include <brigade/detail/ledger.hpp>
#include <brigade/error.hpp>

namespace brigade::detail {

class pool_core;

struct job_ending {
  pool_core* core = nullptr;  // null where it is known that only a shell is left
  unsigned lane = 0;
  outcome how = outcome::cancelled;
  error_code why{};                      // what the job's handler is told
  admission_claim* successor = nullptr;  // a job that gets the slot before it is free
  job_note note{};                       // of the job, if there is one

  /// Counts the end. Call once the job is destroyed, before its handler is told.
  void count() const;
};

}  // namespace brigade::detail
