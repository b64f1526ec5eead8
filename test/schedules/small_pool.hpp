// A pool in a world under control: its workers and its strand are threads of the world, and it
// knows what has become of each job.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <brigade/error.hpp>

#include "schedules/world.hpp"

namespace brigade::detail {

class pool_core;

}  // namespace brigade::detail

namespace test::schedules {

class small_pool {
 public:
  struct shape {
    unsigned workers = 2;
    std::size_t capacity = 1;
    unsigned turn_jobs = 1000;
    bool two_lanes = false;  // with room for two jobs each
  };
  static constexpr std::size_t most_jobs = 4;

  /// What a job does besides being counted.
  using body = void (*)(small_pool&);

  small_pool(world& w, shape const& s);
  ~small_pool();
  small_pool(small_pool const&) = delete;
  small_pool& operator=(small_pool const&) = delete;

  /// Threads of the world, after those of the scenario.
  void add_workers();
  void add_strand();
  /// Before the threads begin: two workers are awake, and the first one searches.
  void begin_two_turns();

  // ── in threads of the world ──

  /// As try_post does. Each job has a number.
  brigade::error_code post(std::size_t number, body also = nullptr);
  /// As try_post_bulk does, jobs 0 and 1; how many were admitted.
  std::size_t post_two(body first, body second);
  /// The same as post() until there is room, or the pool has closed.
  brigade::error_code post_patiently(std::size_t number);
  /// Takes a permit, and gives it back.
  void reserve();
  /// Stands in line for a slot for a job.
  void wait_in_line(std::size_t number);

  /// A job waits until tell() is called, or somebody in line has been admitted or sent away.
  void await_told() { told_.await(); }
  void tell() { told_.give(true); }

  void close();
  void stop();

  // ── in the end ──

  /// Each admitted job has ended once; nothing is queued, and no worker searches.
  void expect_settled();
  /// The pool was closed: the end was noticed, once, by somebody who knew what all jobs did.
  void expect_drained() const;
  void expect_empty_queue() const;
  [[nodiscard]] unsigned ran() const noexcept { return ran_; }
  [[nodiscard]] unsigned told_in_line() const noexcept { return told_in_line_; }

 private:
  friend class job;
  class job;
  class one_in_line;
  struct record {
    int ran = 0;
    bool admitted = false;
  };
  void admitted(std::uint64_t count);
  void tell_in_line();
  void run(std::size_t number, body also);

  world& world_;
  shape const shape_;
  std::shared_ptr<brigade::detail::pool_core> core_;
  std::array<record, most_jobs> jobs_{};
  std::array<char, most_jobs> done_{};  // touched by the jobs, and by who notices the end
  std::size_t in_flight_ = 0;           // known to nobody in the world
  unsigned ran_ = 0;
  unsigned finishes_ = 0;
  unsigned told_in_line_ = 0;
  mailbox<bool> told_;
};

}  // namespace test::schedules
