// What a pool on a host that one thread steps has to do: the same, one thing after the other, on
// plain containers.
//
// The model knows nothing of rings, words and strands. Jobs have numbers; what is expected of each
// is kept by its number.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include <brigade/error.hpp>
#include <brigade/metrics.hpp>
#include <brigade/shutdown.hpp>

#include "storms/program.hpp"

namespace storms {

using id = std::size_t;

/// Where a job, or a reservation, stands.
enum class place { nowhere, in_line, queued, held_back, called, running, over };

/// What is expected of one job or reservation.
struct record {
  job_terms terms{};
  bool is_reservation = false;
  bool has_handler = false;
  place at = place::nowhere;
  int ran = 0;
  std::uint64_t position = 0;                 ///< In the order in which jobs were queued.
  std::optional<brigade::error_code> told{};  ///< What its handler, or its caller, is told.
  std::optional<id> child{};                  ///< Of one that spawns.
};

class model {
 public:
  explicit model(setup const& s);

  // Each command's part. What is given back is what the caller is told.
  brigade::error_code post(id job, job_terms terms);
  void submit(id job, job_terms terms);
  std::size_t bulk(std::vector<id> const& jobs);
  brigade::error_code post_for(id job, unsigned lane, bool at_once);
  brigade::error_code reserve(id permit, unsigned lane);
  void async_reserve(id permit, job_terms const& terms);
  brigade::error_code spend_post(id permit, id job, job_terms terms);
  void spend_submit(id permit, id job, job_terms terms);
  void release(id permit);
  bool take();
  void resume(id job);
  void cancel(id job);
  void cancel_group();
  void wait_group();
  void close();
  void drain() { close(), ++drains; }
  void shutdown(bool lame_duck);
  void stop();

  [[nodiscard]] brigade::pool_state state() const noexcept;
  [[nodiscard]] record const& of(id job) const { return jobs_.at(job); }
  [[nodiscard]] std::size_t known() const noexcept { return jobs_.size(); }
  [[nodiscard]] unsigned lanes() const noexcept { return static_cast<unsigned>(lanes_.size()); }
  [[nodiscard]] bool holds(id permit) const;
  [[nodiscard]] bool group_in_line() const;
  [[nodiscard]] bool group_is_cancelled() const noexcept { return group_cancelled_; }
  [[nodiscard]] bool group_runs() const;
  [[nodiscard]] std::vector<id> suspended() const;

  /// The next number, for a job or a reservation.
  id next();
  /// The number of the job that `job` will spawn.
  void adopt(id job, id child) { jobs_.at(job).child = child; }
  /// Before the job is submitted: it may run at once, in its caller.
  void prepare(id job, job_terms const& terms) { jobs_.at(job).terms = terms; }

  /// All that a snapshot can be compared with.
  [[nodiscard]] brigade::pool_metrics metrics() const;
  [[nodiscard]] brigade::task_group_metrics group() const;

  std::vector<id> run_order{};  ///< Of jobs that are no coroutines.
  std::size_t job_errors = 0;
  std::size_t drains = 0;
  std::size_t shutdowns = 0;
  std::vector<brigade::error_code> group_waits{};  ///< What those that waited were told.

 private:
  enum class who { outsider, running_job };
  using lane_count = std::uint64_t brigade::lane_metrics::*;
  struct lane {
    std::size_t capacity = 0;
    unsigned weight = 1;
    unsigned left = 1;  // of the weight, in this round
    std::deque<id> queue{};
    std::size_t in_use = 0;  // slots, of jobs and of permits
    brigade::lane_metrics counts{};
  };

  [[nodiscard]] std::size_t in_use() const noexcept;
  [[nodiscard]] bool is_member(id job) const;
  [[nodiscard]] std::optional<brigade::errc> refusal(unsigned in, who asks) const;
  [[nodiscard]] std::optional<id> oldest_on_shelf(unsigned in, bool called_only) const;
  brigade::error_code refuse(brigade::errc why);
  brigade::error_code post(id job, job_terms const& terms, who asks);
  bool drop_oldest(unsigned in);
  void enqueue(id job);
  void take_out(id job);
  bool take_from(lane& from, unsigned number);
  void start(id job);
  void run_body(id job, who asks);
  void end(id job, lane_count count, brigade::error_code const& told);
  void end_in_queue(id job, lane_count count, brigade::error_code const& told);
  void leave_line(id job, brigade::error_code const& why);
  void end_line();
  void interrupt(id job);
  void settle();
  void serve();
  void free_slot(unsigned in) { --lanes_.at(in).in_use; }

  void join_group(id job);
  void count_in_group(id job, lane_count count, brigade::error_code const& why);
  void give_place_on(id job);
  void leave_group(id job);
  void tell_group();

  setup const setup_;
  std::deque<record> jobs_{};
  std::vector<lane> lanes_{};
  std::deque<id> line_{};
  std::vector<id> permits_{};  // that the program holds
  std::uint64_t last_position_ = 0;
  bool announced_ = false;
  bool closed_ = false;
  bool cancelling_ = false;
  bool drained_ = false;
  brigade::rejected_jobs rejected_{};
  std::uint64_t caller_ran_ = 0;

  brigade::task_group_metrics group_{};
  std::vector<id> members_{};
  std::deque<id> held_back_{};
  std::size_t places_ = 0;
  bool group_cancelled_ = false;
  bool ended_early_ = false;
  std::optional<brigade::error_code> failure_{};
  std::size_t watchers_ = 0;
};

}  // namespace storms
