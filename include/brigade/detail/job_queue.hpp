// The queue of a lane's admitted jobs: its gate, its ring, the overflow store behind that, and the
// shelf of those that came to a worker before they might run.
//
// Invariants
// 1. A job gets its position by adding one to the admission word; nobody else ever has it. In
//    flight are `position - finished()` jobs, and no position is given out that would make this
//    more than the capacity; but who holds a slot already may take one before it gives that slot
//    back.
// 2. Jobs are taken in the order of their positions. Those below the spill are in the ring; while
//    `spilling` is set every new job goes to the store, and the store is only taken from once the
//    ring is empty. The bit is cleared, under the lock, in the moment the store is empty. A job
//    that is held back has been taken once; it is taken again, before all others, when it is
//    called.
// 3. The gate's limit is a position below which there is certainly a slot and a ring cell.
//
// Ordering: `spill_begun_` says whether takers need look at the store at all; it is set before a
// spilled job is published and both are sequentially consistent, so the worker that looks once more
// before it sleeps (crew.hpp) sees the one or the other.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include <brigade/detail/admission.hpp>
#include <brigade/detail/admission_gate.hpp>
#include <brigade/detail/atomic.hpp>
#include <brigade/detail/coarse_clock.hpp>
#include <brigade/detail/inline_job.hpp>
#include <brigade/detail/job_ring.hpp>
#include <brigade/detail/job_shelf.hpp>
#include <brigade/detail/ledger.hpp>
#include <brigade/detail/overflow_store.hpp>

namespace brigade::detail {

/// Positions for one or more jobs of a lane, in a row; each must be filled and published.
struct admission_claim {
  verdict answer = verdict::queue_full;
  unsigned lane = 0;
  std::uint64_t position = 0;
  std::uint64_t count = 0;
  inline_job* spilled = nullptr;  // the job itself where it has no ring cell
};

class job_queue {
 public:
  /// `fine_stamps`: jobs are stamped by the steady clock, not by the coarse one.
  job_queue(std::size_t capacity, ledger const& counts, unsigned lane = 0,
            bool fine_stamps = false);

  /// Takes up to `wanted` positions (one where the job has to go to the store).
  /// Throws: `bad_alloc` where the job has to go to the store; then nothing was taken.
  admission_claim admit(submitter who, std::uint64_t wanted = 1) {
    auto word = gate_.look();
    for (;;) {
      if (!is_open(word, who)) [[unlikely]]
        return {why_refused(word, who), lane_};
      auto const position = position_of(word);
      auto limit = gate_.limit();
      if (position >= limit || (word & spilling_bit) != 0) {
        if (who != submitter::slot_holder && room(position) == 0) {
          return {verdict::queue_full, lane_};
        }
        limit = raise_limit(who);
        if (position >= limit || (word & spilling_bit) != 0) return admit_to_store(who);
      }
      auto const count = wanted < limit - position ? wanted : limit - position;
      // A stale limit or word does no harm: the exchange fails unless the word is still the one
      // that was judged, and the limit only grows.
      if (gate_.give_out(word, count)) return {verdict::admitted, lane_, position, count, nullptr};
    }
  }

  /// What admit_plainly() answers beside a position.
  static constexpr std::uint64_t full = ~std::uint64_t{0} - 1;
  static constexpr std::uint64_t not_plain = ~std::uint64_t{0};

  /// Takes one position for an outsider where that is all there is to it: the queue is open to
  /// everybody and has room in the ring, or is `full`. Else it is `not_plain`, and admit() knows more.
  std::uint64_t admit_plainly() noexcept {
    auto word = gate_.look();
    while ((word & (refusing(submitter::outsider) | spilling_bit)) == 0) {
      auto const position = position_of(word);
      if (position >= gate_.limit()) [[unlikely]]
        return room(position) == 0 ? full : not_plain;
      if (gate_.give_out(word, 1)) return position;
    }
    return not_plain;
  }
  /// The empty job of such a position, to be filled, and its publication.
  inline_job& open_plain(std::uint64_t position) noexcept { return ring_.open(position); }
  void publish_plain(std::uint64_t position) noexcept { ring_.publish(position, stamp()); }

  /// What admit() would answer now. No side effects.
  [[nodiscard]] verdict probe(submitter who) const noexcept {
    auto const word = gate_.look();
    if (!is_open(word, who)) return why_refused(word, who);
    auto const position = position_of(word);
    if (position < gate_.limit()) return verdict::admitted;
    return room(position) == 0 ? verdict::queue_full : verdict::admitted;
  }

  /// The empty job of a claimed position, to be filled.
  inline_job& open(admission_claim const& c, std::uint64_t index = 0) noexcept {
    return c.spilled != nullptr ? *c.spilled : ring_.open(c.position + index);
  }

  /// Makes a filled job visible to takers.
  void publish(admission_claim const& c, std::uint64_t index = 0) noexcept {
    if (c.spilled != nullptr) {
      publish_in_store(c.position, {});
    } else {
      ring_.publish(c.position + index, stamp());
    }
  }

  /// The same with a note that travels with it.
  void publish(admission_claim const& c, std::uint64_t index, job_note const& note) noexcept {
    if (c.spilled != nullptr) {
      publish_in_store(c.position, note);
    } else {
      ring_.publish(c.position + index, stamp(), note);
    }
  }

  /// Leaves a claimed position without a job; the slot is kept until its end is counted. Wake a
  /// worker after it: jobs may have been published behind the position, which hid them.
  void leave_empty(admission_claim const& c, std::uint64_t index = 0);

  /// Gives a claimed position up, slot and all, without a trace in the ledger. Wake a worker after
  /// it, for the same reason.
  void withdraw(admission_claim const& c, std::uint64_t index) {
    leave_empty(c, index);
    withdrawn_.fetch_add(1, std::memory_order_acq_rel);
  }

  /// Where a position may still be withdrawn after it was given out: it will not be.
  void confirm(std::uint64_t count) noexcept {
    confirmed_.fetch_add(count, std::memory_order_acq_rel);
  }
  [[nodiscard]] std::uint64_t confirmed() const noexcept {
    return confirmed_.load(std::memory_order_acquire);
  }

  /// Takes the oldest published job into `out`, and its note, if there is one. May find a dead
  /// shell, whose run() does nothing.
  bool take(inline_job& out, job_note& note) noexcept {
    if (shelf_.ready() && shelf_.take_called(out)) {
      note = {};  // its control has it
      return true;
    }
    if (ring_.take(out, note, lane_)) return true;
    return spill_begun_.load(std::memory_order_seq_cst) && take_from_store(out, note);
  }

  /// Whether take() would find something.
  [[nodiscard]] bool ready() const noexcept {
    return ring_.ready() || shelf_.ready() ||
           (spill_begun_.load(std::memory_order_seq_cst) && store_ready());
  }

  /// Holds a job back that has been taken; it stays queued. `shell` is what take() gives out again
  /// once it has been called.
  void hold(job_shelf::node&& shell, std::uint64_t position) noexcept {
    shelf_.hold(std::move(shell), position);
  }
  /// Lets a job that was held back be taken again. Wake a worker after it.
  void call(std::uint64_t position) noexcept { shelf_.call(position); }

  /// Takes the oldest job of all, one that is held back too; to end it.
  bool take_to_end(inline_job& out, job_note& note) noexcept {
    note = {};
    return shelf_.take_any(out) || take(out, note);
  }

  /// Frees what a job that ended while it was queued still holds of the queue. Does nothing to one
  /// that has not been published, or is not there any more.
  void bury(std::uint64_t position);

  /// Frees the cells at the front that hold no job. They need no worker.
  void clear_front() noexcept;

  admission_gate& gate() noexcept { return gate_; }
  admission_gate const& gate() const noexcept { return gate_; }

  /// Positions that hold no slot any more: of jobs that have ended, and those given up.
  [[nodiscard]] std::uint64_t finished() const noexcept {
    return counts_.finished_in(lane_) + withdrawn();
  }
  [[nodiscard]] std::uint64_t withdrawn() const noexcept {
    return withdrawn_.load(std::memory_order_acquire);
  }

  /// How long the oldest queued job has been waiting; zero where none is.
  [[nodiscard]] std::chrono::milliseconds oldest_age() const;

  [[nodiscard]] std::uint64_t capacity() const noexcept { return capacity_; }

 private:
  [[nodiscard]] std::uint64_t room(std::uint64_t position) const noexcept {
    return room_at(position, finished(), capacity_);
  }
  std::uint64_t raise_limit(submitter who) noexcept;
  admission_claim admit_to_store(submitter who);
  [[nodiscard]] std::uint32_t stamp() const noexcept {
    return fine_stamps_ ? fine_milliseconds() : coarse_milliseconds();
  }
  void publish_in_store(std::uint64_t position, job_note const& note) noexcept;
  bool take_from_store(inline_job& out, job_note& note) noexcept;
  [[nodiscard]] bool store_ready() const noexcept;
  void leave_store_if_empty() noexcept;

  ledger const& counts_;
  std::uint64_t const capacity_;
  unsigned const lane_;
  bool const fine_stamps_;

  // Written by submitters.
  alignas(64) admission_gate gate_;
  atomic<std::uint64_t> withdrawn_{0};
  atomic<std::uint64_t> confirmed_{0};

  // Read by takers; written where jobs spill.
  alignas(64) atomic<bool> spill_begun_{false};
  mutable std::mutex store_mutex_;
  overflow_store store_;           // guarded by store_mutex_
  std::uint64_t spill_begin_ = 0;  // first spilled position; guarded by store_mutex_

  job_ring ring_;
  job_shelf shelf_;
};

}  // namespace brigade::detail
