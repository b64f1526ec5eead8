// The queue of admitted jobs: the admission word, the ring, and the overflow store behind it.
//
// Invariants
// 1. A job gets its position by adding one to the admission word; nobody else ever has it. In
//    flight are `position - ledger.finished()` jobs, and no position is given out that would make
//    this more than the capacity.
// 2. Jobs are taken in the order of their positions. Those below the spill are in the ring; while
//    `spilling` is set every new job goes to the store, and the store is only taken from once the
//    ring is empty. The bit is cleared, under the lock, in the moment the store is empty.
// 3. `limit_` is a position below which there is certainly a slot and a ring cell. It is derived
//    from counts that only grow, so a stale value refuses too early, never admits too much; who is
//    refused by it reads the counts themselves before answering.
//
// Ordering: `word_` is changed by read-modify-writes only, so closing, draining and admitting have
// one order that all threads agree on. `spill_begun_` says whether takers need look at the store at
// all; it is set before a spilled job is published and both are sequentially consistent, so the
// worker that looks once more before it sleeps (crew.hpp) sees the one or the other.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <brigade/detail/admission.hpp>
#include <brigade/detail/inline_job.hpp>
#include <brigade/detail/job_ring.hpp>
#include <brigade/detail/ledger.hpp>
#include <brigade/detail/overflow_store.hpp>

namespace brigade::detail {

class job_queue {
 public:
  job_queue(std::size_t capacity, ledger const& counts);

  /// Positions for one or more jobs, in a row; each must be filled and published.
  struct claim {
    verdict answer = verdict::queue_full;
    std::uint64_t position = 0;
    std::uint64_t count = 0;
    inline_job* spilled = nullptr;  // the job itself where it has no ring cell
  };

  /// Takes up to `wanted` positions (one where the job has to go to the store).
  /// Throws: `bad_alloc` where the job has to go to the store; then nothing was taken.
  claim admit(submitter who, std::uint64_t wanted = 1) {
    auto word = word_.load(std::memory_order_acquire);
    for (;;) {
      if (!is_open(word, who)) return {verdict::closed};
      auto const position = position_of(word);
      auto limit = limit_.load(std::memory_order_relaxed);
      if (position >= limit || (word & spilling_bit) != 0) {
        if (room(position) == 0) return {verdict::queue_full};
        limit = raise_limit();
        if (position >= limit || (word & spilling_bit) != 0) return admit_to_store(who);
      }
      auto const count = wanted < limit - position ? wanted : limit - position;
      // A stale limit or word does no harm: the exchange fails unless the word is still the one
      // that was judged, and the limit only grows.
      if (word_.compare_exchange_weak(word, word + count * one_position, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        return {verdict::admitted, position, count, nullptr};
      }
    }
  }

  /// What admit() would answer now. No side effects.
  [[nodiscard]] verdict probe(submitter who) const noexcept {
    auto const word = word_.load(std::memory_order_acquire);
    if (!is_open(word, who)) return verdict::closed;
    auto const position = position_of(word);
    if (position < limit_.load(std::memory_order_relaxed)) return verdict::admitted;
    return room(position) == 0 ? verdict::queue_full : verdict::admitted;
  }

  /// The empty job of a claimed position, to be filled.
  inline_job& open(claim const& c, std::uint64_t index = 0) noexcept {
    return c.spilled != nullptr ? *c.spilled : ring_.open(c.position + index);
  }

  /// Makes a filled job visible to takers.
  void publish(claim const& c, std::uint64_t index = 0) noexcept {
    if (c.spilled != nullptr) {
      publish_in_store(c.position);
    } else {
      ring_.publish(c.position + index);
    }
  }

  /// Takes the oldest published job into `out`. May find a dead shell, whose run() does nothing.
  bool take(inline_job& out) noexcept {
    if (ring_.take(out)) return true;
    return spill_begun_.load(std::memory_order_seq_cst) && take_from_store(out);
  }

  /// Whether take() would find something.
  [[nodiscard]] bool ready() const noexcept {
    return ring_.ready() || (spill_begun_.load(std::memory_order_seq_cst) && store_ready());
  }

  /// Frees what a job that ended while it was queued still holds of the queue.
  void bury(std::uint64_t position, pool_core& core);

  /// Sets state bits; returns the word as it was before.
  admission_word set(admission_word bits) noexcept {
    return word_.fetch_or(bits, std::memory_order_seq_cst);
  }
  [[nodiscard]] admission_word word() const noexcept {
    return word_.load(std::memory_order_seq_cst);
  }

  /// Sets `drained` if the queue is closed and every job has ended. True for the one caller that
  /// set it. Call after any job's end that may have been the last.
  bool try_finish() noexcept;

  /// How long the oldest queued job has been waiting; zero where none is.
  [[nodiscard]] std::chrono::milliseconds oldest_age() const;

  [[nodiscard]] std::uint64_t capacity() const noexcept { return capacity_; }

 private:
  [[nodiscard]] std::uint64_t room(std::uint64_t position) const noexcept {
    return room_at(position, counts_.finished(), capacity_);
  }
  std::uint64_t raise_limit() noexcept;
  claim admit_to_store(submitter who);
  void publish_in_store(std::uint64_t position) noexcept;
  bool take_from_store(inline_job& out) noexcept;
  [[nodiscard]] bool store_ready() const noexcept;
  void leave_store_if_empty() noexcept;

  ledger const& counts_;
  std::uint64_t const capacity_;

  // Written by submitters.
  alignas(64) std::atomic<admission_word> word_{0};
  std::atomic<std::uint64_t> limit_{0};

  // Read by takers; written where jobs spill.
  alignas(64) std::atomic<bool> spill_begun_{false};
  mutable std::mutex store_mutex_;
  overflow_store store_;           // guarded by store_mutex_
  std::uint64_t spill_begin_ = 0;  // first spilled position; guarded by store_mutex_

  job_ring ring_;
};

}  // namespace brigade::detail
