// Where jobs wait for which there is a slot but no ring cell: dead cells in the middle of the ring
// hold it while every worker is stuck. Rare, so it is a plain ordered map; job_queue locks it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include <brigade/detail/inline_job.hpp>
#include <brigade/detail/job_note.hpp>

namespace brigade::detail {

/// Jobs by position. Not thread-safe. A job is open (being filled, by the submitter that holds its
/// position) until it is published.
class overflow_store {
  struct stored {
    inline_job job;
    job_note note;
  };
  using jobs = std::map<std::uint64_t, stored>;

 public:
  /// A job outside of the store, so that memory is taken before the position is.
  using node = jobs::node_type;

  static node make_node() {
    jobs one;
    one.try_emplace(0);
    return one.extract(one.begin());
  }

  [[nodiscard]] bool empty() const noexcept { return jobs_.empty(); }

  /// Adds an open job; its address stays the same until it is removed.
  inline_job& insert(node&& job, std::uint64_t position) {
    job.key() = position;
    return jobs_.insert(std::move(job)).position->second.job;
  }

  void publish(std::uint64_t position, std::uint32_t stamp, job_note const& note) noexcept {
    auto& [job, own_note] = jobs_.find(position)->second;
    own_note = note;
    job.stamp.store(stamp, std::memory_order_relaxed);
    job.mark.store(published, std::memory_order_relaxed);
  }

  /// Whether the first job is published.
  [[nodiscard]] bool ready() const noexcept {
    return !jobs_.empty() &&
           jobs_.begin()->second.job.mark.load(std::memory_order_relaxed) == published;
  }

  [[nodiscard]] std::uint32_t first_stamp() const noexcept {
    return jobs_.begin()->second.job.stamp.load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t first_position() const noexcept { return jobs_.begin()->first; }

  node remove_first() noexcept { return jobs_.extract(jobs_.begin()); }

  /// The job at `position`, removed; empty where there is none.
  node remove(std::uint64_t position) noexcept { return jobs_.extract(position); }

  /// The same, but an open job stays, for it is being filled.
  node remove_published(std::uint64_t position) noexcept {
    auto const job = jobs_.find(position);
    bool const is_published =
        job != jobs_.end() && job->second.job.mark.load(std::memory_order_relaxed) == published;
    return is_published ? jobs_.extract(job) : node{};
  }

 private:
  static constexpr std::uint32_t published = 1;
  jobs jobs_;
};

}  // namespace brigade::detail
