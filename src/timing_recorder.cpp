// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/timing_recorder.hpp>

#include <cstddef>
#include <cstdlib>
#include <new>

#include <brigade/detail/steady_clock.hpp>

namespace brigade::detail {

namespace {

// Zeroed memory is workers that have not recorded anything; a large calloc is untouched pages.
void* take_zeroed(std::size_t bytes) {
  auto* const block = std::calloc(1, bytes);
  if (block == nullptr) throw std::bad_alloc{};
  return block;
}

worker_times* first_aligned(void* block) noexcept {
  constexpr auto line = std::uintptr_t{alignof(worker_times)};
  auto const address = reinterpret_cast<std::uintptr_t>(block);
  return reinterpret_cast<worker_times*>((address + line - 1) / line * line);
}

}  // namespace

timing_recorder::timing_recorder(unsigned workers)
    : workers_(workers),
      block_(take_zeroed((std::size_t{workers} + 2) * sizeof(worker_times))),
      times_(first_aligned(block_.get())),
      elsewhere_(times_[workers]) {}

void timing_recorder::release_block::operator()(void* block) const noexcept { std::free(block); }

void timing_recorder::record(std::optional<unsigned> worker,
                             duration_recorder worker_times::*where, std::int64_t nanoseconds,
                             unsigned times) noexcept {
  auto const value = static_cast<std::uint64_t>(nanoseconds);
  if (worker) return (times_[*worker].*where).record(value, times);
  std::lock_guard const lock(elsewhere_mutex_);
  (elsewhere_.*where).record(value, times);
}

void timing_recorder::read_into(pool_metrics& now) const {
  // Run times before queue waits: a job is recorded under the one after it is under the other. So a
  // reading never has more jobs that have run than jobs that have started.
  elsewhere_.run_time.add_to(now.run_time);  // its writers exclude each other, not its readers
  now.worker_busy.resize(workers_);
  for (unsigned slot = 0; slot != workers_; ++slot) {
    auto const& own = times_[slot];
    now.worker_busy[slot] = std::chrono::nanoseconds(own.busy.read(steady_nanoseconds));
    own.run_time.add_to(now.run_time);
    own.queue_wait.add_to(now.queue_wait);
  }
  elsewhere_.queue_wait.add_to(now.queue_wait);
}

std::chrono::nanoseconds timing_recorder::average_run_time() const noexcept {
  moving_average::merged all;
  for (unsigned slot = 0; slot != workers_; ++slot) all.add(times_[slot].per_job);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(all.mean()));
}

}  // namespace brigade::detail
