// The bounded ring of cells that jobs travel through: many submitters, many takers, one cache
// line a cell.
//
// The ring knows positions, not admission: somebody else (job_queue) gives each position to
// exactly one submitter, and never hands out position `head() + size()` or later.
//
// Invariants
// 1. Cell `p % size` carries position p from `publish(p)` until its taker frees it. Its mark says
//    which: free, full(p), noted(p) (full, and there is a note of it beside the ring), or dead(p)
//    (a job that ended while it was queued; only the empty shell is left).
// 2. `head` only grows, one position at a time, and whoever moves it from p to p + 1 owns the
//    cell's content until it frees the cell. Positions are 64 bits and never repeat, so a taker
//    that was held up between looking and moving `head` fails the exchange: no ABA.
// 3. A mark holds the low 30 bits of its position, which two positions that share a cell and are
//    both alive cannot have in common (the ring has at most 2^30 cells).
//
// After D. Vyukov's bounded MPMC queue; it differs in the marks, which allow for positions that
// never had a cell (jobs that went to the overflow store) and for dead cells.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <brigade/detail/atomic.hpp>
#include <brigade/detail/inline_job.hpp>
#include <brigade/detail/job_note.hpp>
#include <brigade/detail/relax.hpp>

namespace brigade::detail {

class job_ring {
 public:
  /// `size` cells, a power of two. The memory is zero pages until it is used.
  explicit job_ring(std::size_t size);
  job_ring(job_ring const&) = delete;
  job_ring& operator=(job_ring const&) = delete;

  [[nodiscard]] std::uint64_t size() const noexcept { return mask_ + 1; }

  /// The position that is taken next.
  [[nodiscard]] std::uint64_t head() const noexcept {
    return head_.load(std::memory_order_acquire);
  }

  /// Moves the head past positions that never had a cell here. Only while nobody can take: the
  /// cell at the head is not full.
  void skip_to(std::uint64_t position) noexcept {
    head_.store(position, std::memory_order_release);
  }

  /// The cell of `position`, empty and the caller's to fill. Waits for a taker that has moved the
  /// head past the cell's last job but not yet moved the job out: a few instructions of its.
  inline_job& open(std::uint64_t position) noexcept {
    inline_job& cell = at(position);
    prefetch_for_write(&at(position + cells_ahead));
    for (unsigned lap = 1; cell.mark.load(std::memory_order_acquire) != free_mark; ++lap) {
      relax(lap);
    }
    return cell;
  }

  /// Makes the filled cell visible to takers. Sequentially consistent: see crew.hpp for the worker
  /// that goes to sleep meanwhile.
  void publish(std::uint64_t position, std::uint32_t stamp) noexcept {
    inline_job& cell = at(position);
    cell.stamp.store(stamp, std::memory_order_relaxed);
    cell.mark.store(full_mark(position), std::memory_order_seq_cst);
  }

  /// The same for a job that a note travels with.
  void publish(std::uint64_t position, std::uint32_t stamp, job_note const& note) noexcept {
    inline_job& cell = at(position);
    notes_[position & mask_] = pack(note);
    cell.stamp.store(stamp, std::memory_order_relaxed);
    cell.mark.store(noted_mark(position), std::memory_order_seq_cst);
  }

  /// The same for a cell that holds nothing but a shell.
  void publish_dead(std::uint64_t position) noexcept {
    at(position).mark.store(dead_mark(position), std::memory_order_seq_cst);
  }

  /// Takes the oldest job into `out`, and what there is of a note of a job in `lane`. False: the
  /// cell at the head is not published.
  bool take(inline_job& out, job_note& note, unsigned lane) noexcept {
    // Acquire on the mark: the job's bytes, written before publish(), are seen. The head itself
    // carries no data; the exchange only decides who owns the cell.
    auto position = head_.load(std::memory_order_relaxed);
    for (;;) {
      inline_job& cell = at(position);
      auto const mark = cell.mark.load(std::memory_order_seq_cst);
      if (!is_queued(mark, position)) {
        auto const now = head_.load(std::memory_order_relaxed);
        if (now == position) return false;
        position = now;
      } else if (head_.compare_exchange_weak(position, position + 1, std::memory_order_acq_rel,
                                             std::memory_order_relaxed)) {
        prefetch_for_write(&at(position + cells_ahead));
        note.admitted = 0;
        if ((mark & 1) == 0) [[unlikely]]  // noted
          note = unpack(notes_[position & mask_], lane, position);
        out.take_from(cell);
        cell.mark.store(free_mark, std::memory_order_release);
        return true;
      }
    }
  }

  /// Whether take() would find a job. Sequentially consistent with publish().
  [[nodiscard]] bool ready() const noexcept {
    auto position = head_.load(std::memory_order_seq_cst);
    for (;;) {
      if (is_queued(at(position).mark.load(std::memory_order_seq_cst), position)) return true;
      // The cell may be empty because its job was taken meanwhile, and there may be one behind it.
      auto const now = head_.load(std::memory_order_seq_cst);
      if (now == position) return false;
      position = now;
    }
  }

  /// Notes that the job at `position` has ended while it was queued. False: it has been taken
  /// already, or never was here.
  bool bury(std::uint64_t position) noexcept {
    auto& mark = at(position).mark;
    auto expected = mark.load(std::memory_order_relaxed);
    return is_alive(expected, position) &&
           mark.compare_exchange_strong(expected, dead_mark(position), std::memory_order_acq_rel,
                                        std::memory_order_relaxed);
  }

  /// Takes a dead cell from the front into `out`; false where the front is alive or empty.
  bool take_dead(inline_job& out) noexcept {
    auto position = head_.load(std::memory_order_relaxed);
    inline_job& cell = at(position);
    if (cell.mark.load(std::memory_order_acquire) != dead_mark(position)) return false;
    if (!head_.compare_exchange_strong(position, position + 1, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
      return false;
    }
    out.take_from(cell);
    cell.mark.store(free_mark, std::memory_order_release);
    return true;
  }

  /// When the oldest queued job was published. False: none is here, or it was just taken.
  bool oldest_stamp(std::uint32_t& stamp) const noexcept {
    auto const position = head();
    inline_job const& cell = at(position);
    if (!is_alive(cell.mark.load(std::memory_order_acquire), position)) return false;
    stamp = cell.stamp.load(std::memory_order_relaxed);
    return is_alive(cell.mark.load(std::memory_order_acquire), position);
  }

 private:
  // How far ahead a cell's line is asked for: about a line's way between cores, in jobs.
  static constexpr std::uint64_t cells_ahead = 4;

  static constexpr std::uint32_t free_mark = 0;
  static constexpr std::uint32_t full_mark(std::uint64_t position) noexcept {
    return static_cast<std::uint32_t>(position << 2) | 1U;
  }
  static constexpr std::uint32_t dead_mark(std::uint64_t position) noexcept {
    return static_cast<std::uint32_t>(position << 2) | 3U;
  }
  static constexpr std::uint32_t noted_mark(std::uint64_t position) noexcept {
    return static_cast<std::uint32_t>(position << 2) | 2U;
  }
  static constexpr bool is_alive(std::uint32_t mark, std::uint64_t position) noexcept {
    return mark == full_mark(position) || mark == noted_mark(position);
  }
  static constexpr bool is_queued(std::uint32_t mark, std::uint64_t position) noexcept {
    return mark - full_mark(position) <= 2;  // full, noted or dead
  }

  inline_job& at(std::uint64_t position) noexcept { return cells_[position & mask_]; }
  [[nodiscard]] inline_job const& at(std::uint64_t position) const noexcept {
    return cells_[position & mask_];
  }

  struct release_block {
    void operator()(void* block) const noexcept;
  };

  std::unique_ptr<void, release_block> block_;
  std::unique_ptr<std::uint64_t[], release_block> notes_;  // of noted cells; ordered by their marks
  inline_job* cells_;
  std::uint64_t mask_;
  alignas(64) atomic<std::uint64_t> head_{0};
};

}  // namespace brigade::detail
