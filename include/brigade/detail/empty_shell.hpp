// What stands in a cell for which there is no job: it could not be constructed, its slot is a
// permit's, or it was taken out of the queue.
// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace brigade::detail {

struct job_context;
struct job_ending;

struct empty_shell {
  static void run(void*, job_context&) {}
  static bool discard(void*, job_ending const&) { return false; }
};

}  // namespace brigade::detail
