// What is known of a pool's times: per worker, written by the one turn that holds the worker's slot
// with plain stores, and merged when somebody reads it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include <brigade/detail/busy_time.hpp>
#include <brigade/detail/duration_recorder.hpp>
#include <brigade/detail/moving_average.hpp>
#include <brigade/metrics.hpp>

namespace brigade::detail {

/// One worker's.
struct alignas(64) worker_times {
  busy_time busy;
  moving_average per_job;
  duration_recorder queue_wait;
  duration_recorder run_time;
};

class timing_recorder {
 public:
  /// The memory is zero pages until it is used.
  explicit timing_recorder(unsigned workers);

  worker_times& of_worker(unsigned slot) noexcept { return times_[slot]; }

  /// Records a time of a job, as often as `times`. By the turn that holds the slot of `worker`; or
  /// by any thread, where there is none: of a coroutine, and of a job that is run while another one
  /// waits.
  void record_wait(std::optional<unsigned> worker, std::int64_t nanoseconds,
                   unsigned times) noexcept {
    record(worker, &worker_times::queue_wait, nanoseconds, times);
  }
  void record_run(std::optional<unsigned> worker, std::int64_t nanoseconds,
                  unsigned times) noexcept {
    record(worker, &worker_times::run_time, nanoseconds, times);
  }

  /// Fills in the fields of times.
  /// Throws: `std::bad_alloc`.
  void read_into(pool_metrics& now) const;

  /// For how long a worker is busy with a job, its handler included: an average over the jobs of
  /// about the last second. Zero where there was none.
  [[nodiscard]] std::chrono::nanoseconds average_run_time() const noexcept;

 private:
  void record(std::optional<unsigned> worker, duration_recorder worker_times::*where,
              std::int64_t nanoseconds, unsigned times) noexcept;

  struct release_block {
    void operator()(void* block) const noexcept;
  };

  unsigned const workers_;
  std::unique_ptr<void, release_block> block_;
  worker_times* times_;      // of each worker, and one more:
  worker_times& elsewhere_;  // written under elsewhere_mutex_
  std::mutex elsewhere_mutex_;
};

}  // namespace brigade::detail
