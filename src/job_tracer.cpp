// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/job_tracer.hpp>

#include <algorithm>
#include <chrono>

#include <brigade/detail/report.hpp>
#include <brigade/detail/steady_clock.hpp>
#include <brigade/observer.hpp>

namespace brigade::detail {

namespace {

// A number of 0 means "no note"; the clock shows it at most once.
std::int64_t now_not_zero() noexcept { return std::max<std::int64_t>(steady_nanoseconds(), 1); }

observed_job observed(job_note const& note) noexcept { return {note.number, note.name}; }

job_outcome public_outcome(outcome how) noexcept {
  switch (how) {
    case outcome::completed: return job_outcome::completed;
    case outcome::failed: return job_outcome::failed;
    case outcome::expired: return job_outcome::expired;
    case outcome::shed: return job_outcome::shed;
    case outcome::cancelled:
    case outcome::voided: break;
  }
  return job_outcome::cancelled;
}

timing sampled_as(pool_options const& options) noexcept {
  return options.observer ? timing::full : options.timing;
}

}  // namespace

job_tracer::job_tracer(pool_options const& options)
    : options_(options), sampler_(sampled_as(options)) {
  if (options.timing != timing::off) times_.emplace(options.threads);
}

template <class Tell>
void job_tracer::tell_observer(Tell const& tell) const noexcept {
  if (!options_.observer) return;
  try {
    tell(*options_.observer);
  } catch (...) {
    report(options_.on_handler_error, options_.name, "the observer threw",
           std::current_exception());
  }
}

job_note job_tracer::admit(unsigned lane, std::uint64_t position, unsigned weight,
                           char const* name) const noexcept {
  job_note note;
  note.weight = weight;
  note.number = std::uint64_t{lane} << 56 | position;
  note.name = name;
  note.admitted = now_not_zero();
  tell_observer([&](job_observer& observer) { observer.admitted(observed(note)); });
  probes::admitted(options_.name.c_str(), note);
  return note;
}

void job_tracer::start(job_note& note, std::optional<unsigned> worker, std::int64_t now) noexcept {
  note.started = std::max(now != 0 ? now : steady_nanoseconds(), note.admitted);
  auto const wait = note.started - note.admitted;
  if (times_) times_->record_wait(worker, wait, note.weight);
  tell_observer([&](job_observer& observer) {
    observer.started(observed(note), std::chrono::nanoseconds(wait));
  });
  probes::started(options_.name.c_str(), note, wait);
}

std::int64_t job_tracer::end(job_note const& note, outcome how,
                             std::optional<unsigned> worker) noexcept {
  bool const ran = note.started != 0;
  auto const now = steady_nanoseconds();
  auto const wait = std::max<std::int64_t>((ran ? note.started : now) - note.admitted, 0);
  auto const run = ran ? std::max<std::int64_t>(now - note.started, 0) : 0;
  if (times_ && ran) times_->record_run(worker, run, note.weight);
  auto const outcome = public_outcome(how);
  tell_observer([&](job_observer& observer) {
    observer.finished(observed(note), outcome,
                      {std::chrono::nanoseconds(wait), std::chrono::nanoseconds(run)});
  });
  probes::finished(options_.name.c_str(), note, to_string(outcome).data(), wait, run);
  return options_.observer ? 0 : now;
}

}  // namespace brigade::detail
