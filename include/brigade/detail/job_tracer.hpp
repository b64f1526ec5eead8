// Who is told of jobs: the recorder of times, the observer, and tracers from outside. Which jobs
// get a note is decided when they are admitted, so that whoever is told of one part of a job's life
// is told of the others.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <exception>
#include <optional>

#include <brigade/detail/job_note.hpp>
#include <brigade/detail/ledger.hpp>
#include <brigade/detail/probes.hpp>
#include <brigade/detail/timing_recorder.hpp>
#include <brigade/detail/timing_sampler.hpp>
#include <brigade/options.hpp>

namespace brigade::detail {

class job_tracer {
 public:
  /// With options that have been checked, and that outlive it.
  explicit job_tracer(pool_options const& options);

  /// For how many jobs the one at `position` of a lane stands where times are recorded; 0: it gets
  /// no note.
  [[nodiscard]] unsigned weight_of(std::uint64_t position) const noexcept {
    return sampler_.weight_of(position);
  }

  /// Makes the note of a job, and tells of its admission. Call before it is published.
  job_note admit(unsigned lane, std::uint64_t position, unsigned weight,
                 char const* name) const noexcept;

  /// The job starts at `now`, in a turn that holds the slot of `worker`, or elsewhere: writes it
  /// down, and tells. 0: reads the clock.
  void start(job_note& note, std::optional<unsigned> worker, std::int64_t now) noexcept;

  /// It has ended; its end is not counted yet. Gives the time, or 0 where an observer has been told,
  /// which takes as long as it likes.
  std::int64_t end(job_note const& note, outcome how, std::optional<unsigned> worker) noexcept;

  /// Null where timing is off.
  [[nodiscard]] timing_recorder* times() noexcept { return times_ ? &*times_ : nullptr; }
  [[nodiscard]] timing_recorder const* times() const noexcept {
    return times_ ? &*times_ : nullptr;
  }
  /// By a worker, of its stretches of work.
  void adapt(moving_average::reading lately) noexcept { sampler_.adapt(lately); }
  /// By a worker, now and then: sees whether a tracer has come or gone.
  void look_for_tracers() noexcept { sampler_.trace(probes::jobs_traced()); }

 private:
  template <class Tell>
  void tell_observer(Tell const& tell) const noexcept;

  pool_options const& options_;
  timing_sampler sampler_;
  std::optional<timing_recorder> times_;
};

}  // namespace brigade::detail
