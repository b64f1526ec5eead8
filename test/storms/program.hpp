// What a storm does to a pool: programs of commands, as RapidCheck makes, shrinks and prints them.
//
// Every sequence of commands is a program: numbers that choose (a lane, a job, a permit) are taken
// modulo what there is. So a program that fails can be made shorter by leaving commands out.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <iosfwd>
#include <vector>

#include <rapidcheck.h>

#include <brigade/options.hpp>

namespace storms {

/// What a job does when it runs.
enum class job_kind {
  plain,      ///< Returns.
  throwing,   ///< Throws.
  stoppable,  ///< Takes a stop token, and returns.
  spawning,   ///< Posts another job to its own pool, in lane 0.
  stopping,   ///< Stops its own pool.
  stoic,      ///< A coroutine: suspended until it is resumed or cancelled, then it returns.
  sleeper,    ///< The same, but it throws when it was cancelled.
};

/// When a job has to be started by.
enum class due { never, past, far };

/// Where a handler is called: on a context of its own, or on the pool's executor.
enum class told_on { elsewhere, pool };

struct job_terms {
  job_kind kind = job_kind::plain;
  brigade::overflow when_full = brigade::overflow::reject;
  unsigned lane = 0;
  due start_by = due::never;
  told_on told = told_on::elsewhere;
  bool in_group = false;
  bool cancellable = false;
  bool named = false;
  bool large = false;  ///< Needs memory of its own.
};

enum class act {
  post,           ///< try_post.
  submit,         ///< async_submit, in the group or not.
  bulk,           ///< try_post_bulk of `count` jobs.
  post_for,       ///< With no timeout, or with a short one.
  reserve,        ///< try_reserve.
  async_reserve,  ///< Stands in line for a permit.
  spend_post,     ///< A permit's post().
  spend_submit,   ///< A permit's async_submit().
  release,        ///< Gives a permit back.
  run,            ///< The workers take `count` jobs.
  run_all,        ///< They take all, and the host has nothing left to do.
  resume,         ///< A suspended coroutine goes on.
  cancel,         ///< Emits the cancellation signal of a job or a reservation.
  cancel_group,
  wait_group,
  close,
  drain,     ///< async_drain.
  shutdown,  ///< async_shutdown, with a lame duck if `count` is odd.
  stop,
};

struct command {
  act what = act::run_all;
  job_terms job{};
  unsigned which = 0;
  unsigned count = 0;
};

/// The pool that a program is for.
struct setup {
  unsigned workers = 1;
  std::size_t capacity = 1;
  std::vector<brigade::lane_options> lanes{};  ///< None or several.
  std::size_t max_waiting = 0;
  std::size_t group_bound = 0;
};

using program = std::vector<command>;

bool is_coroutine(job_kind kind) noexcept;

std::ostream& operator<<(std::ostream& out, command const& c);
std::ostream& operator<<(std::ostream& out, setup const& s);

/// `endings`: whether programs may end the pool.
rc::Gen<program> programs(bool endings);
rc::Gen<setup> setups();

}  // namespace storms
