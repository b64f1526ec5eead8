// The ledger: every admitted job is counted once when it leaves the queue and once when it ends,
// by the thread that saw it happen, on a cache line of that thread's own.
//
// Invariants
// 1. Counts only grow. A sum of them that is read while they change lies between the sums at the
//    beginning and at the end of the reading.
// 2. A job that ran is counted under `started` before its outcome is. A job that ended in the queue
//    counts under both at its end. So outcomes, read first, never exceed `started`, read next.
// 3. A tally has one writer at a time (the turn that holds its worker's slot); `elsewhere` is for
//    all other threads and is written by atomic additions.
//
// Ordering: outcomes are stored with release and read with acquire, so who sees a job's end also
// sees what the job did: a submitter that is admitted on the strength of a freed slot runs after
// it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <brigade/detail/atomic.hpp>

namespace brigade::detail {

/// How an admitted job ended. `voided` is no outcome: a job whose constructor threw after it had
/// been given a position, and which therefore counts as never admitted.
enum class outcome : unsigned { completed, failed, cancelled, expired, shed, voided };
inline constexpr std::size_t outcome_count = 6;

/// Jobs by what has become of them.
struct job_counts {
  std::uint64_t started = 0;
  std::array<std::uint64_t, outcome_count> ended{};

  [[nodiscard]] std::uint64_t operator[](outcome o) const noexcept {
    return ended[static_cast<std::size_t>(o)];
  }
  [[nodiscard]] std::uint64_t finished() const noexcept {
    std::uint64_t sum = 0;
    for (auto const count : ended) sum += count;
    return sum;
  }
};

/// One writer's counts, on a cache line of its own.
class alignas(64) tally {
 public:
  /// By the one writer of a worker's tally.
  void start() noexcept { bump(started_, std::memory_order_relaxed); }
  void end(outcome o) noexcept {
    bump(count_of(o), std::memory_order_release);
    if (o != outcome::completed) bump(not_completed_, std::memory_order_release);
  }

  /// By any thread, on the tally that is shared.
  void add_start() noexcept { started_.fetch_add(1, std::memory_order_relaxed); }
  void add_end(outcome o) noexcept {
    count_of(o).fetch_add(1, std::memory_order_acq_rel);
    if (o != outcome::completed) not_completed_.fetch_add(1, std::memory_order_acq_rel);
  }

  [[nodiscard]] std::uint64_t started() const noexcept {
    return started_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t ended(outcome o) const noexcept {
    return ended_[static_cast<std::size_t>(o)].load(std::memory_order_acquire);
  }
  /// The sum of all outcomes, in two reads.
  [[nodiscard]] std::uint64_t finished() const noexcept {
    return ended_[static_cast<std::size_t>(outcome::completed)].load(std::memory_order_acquire) +
           not_completed_.load(std::memory_order_acquire);
  }

 private:
  static void bump(atomic<std::uint64_t>& count, std::memory_order order) noexcept {
    count.store(count.load(std::memory_order_relaxed) + 1, order);
  }
  atomic<std::uint64_t>& count_of(outcome o) noexcept {
    return ended_[static_cast<std::size_t>(o)];
  }

  atomic<std::uint64_t> started_{0};
  std::array<atomic<std::uint64_t>, outcome_count> ended_{};
  atomic<std::uint64_t> not_completed_{0};  // the sum of all other outcomes
};

/// The tallies of all workers and of everybody else, for each lane.
class ledger {
 public:
  explicit ledger(unsigned workers, unsigned lanes = 1)
      : workers_(workers),
        lanes_(lanes),
        tallies_(std::make_unique<tally[]>(std::size_t{workers} * lanes)),
        elsewhere_(std::make_unique<tally[]>(lanes)) {}

  tally& of_worker(unsigned slot, unsigned lane = 0) noexcept {
    return tallies_[std::size_t{lane} * workers_ + slot];
  }
  tally& elsewhere(unsigned lane = 0) noexcept { return elsewhere_[lane]; }

  /// Jobs that have ended, by whatever outcome.
  [[nodiscard]] std::uint64_t finished_in(unsigned lane) const noexcept {
    auto sum = elsewhere_[lane].finished();
    auto const* tally = &tallies_[std::size_t{lane} * workers_];
    for (auto const* const end = tally + workers_; tally != end; ++tally) sum += tally->finished();
    return sum;
  }
  /// Positions that no job ended in. All are counted elsewhere.
  [[nodiscard]] std::uint64_t voided(unsigned lane) const noexcept {
    return elsewhere_[lane].ended(outcome::voided);
  }
  [[nodiscard]] std::uint64_t finished() const noexcept {
    std::uint64_t sum = 0;
    for (unsigned lane = 0; lane != lanes_; ++lane) sum += finished_in(lane);
    return sum;
  }

  /// All counts of a lane; outcomes are read before starts (invariant 2).
  [[nodiscard]] job_counts read(unsigned lane = 0) const noexcept;

 private:
  unsigned workers_;
  unsigned lanes_;
  std::unique_ptr<tally[]> tallies_;
  std::unique_ptr<tally[]> elsewhere_;
};

}  // namespace brigade::detail
