// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/job_queue.hpp>

#include <algorithm>
#include <utility>

namespace brigade::detail {

namespace {

// Small pools get some cells more than jobs, so that a few cancellations do not make them spill.
constexpr std::size_t fewest_cells = 64;

}  // namespace

job_queue::job_queue(std::size_t capacity, ledger const& counts)
    : counts_(counts),
      capacity_(capacity),
      ring_(std::bit_ceil(std::max(capacity, fewest_cells))) {}

std::uint64_t job_queue::raise_limit() noexcept {
  auto const by_slots = counts_.finished() + capacity_;
  auto const by_cells = ring_.head() + ring_.size();
  auto const limit = std::min(by_slots, by_cells);
  limit_.store(limit, std::memory_order_relaxed);
  return limit;
}

job_queue::claim job_queue::admit_to_store(submitter who) {
  auto node = overflow_store::make_node();
  std::unique_lock lock(store_mutex_);
  auto word = word_.load(std::memory_order_acquire);
  for (;;) {
    if (!is_open(word, who)) return {verdict::closed};
    auto const position = position_of(word);
    if (room(position) == 0) return {verdict::queue_full};
    bool const spilling = (word & spilling_bit) != 0;
    if (!spilling && position < raise_limit()) {
      lock.unlock();
      return admit(who);
    }
    if (word_.compare_exchange_weak(word, (word + one_position) | spilling_bit,
                                    std::memory_order_acq_rel, std::memory_order_acquire)) {
      // With the bit set nobody else gets a position but under this lock.
      if (!spilling) {
        spill_begin_ = position;
        spill_begun_.store(true, std::memory_order_seq_cst);
      }
      return {verdict::admitted, position, 1, &store_.insert(std::move(node), position)};
    }
  }
}

void job_queue::publish_in_store(std::uint64_t position) noexcept {
  std::lock_guard const lock(store_mutex_);
  store_.publish(position);
}

bool job_queue::store_ready() const noexcept {
  std::lock_guard const lock(store_mutex_);
  return ring_.head() >= spill_begin_ && store_.ready();
}

bool job_queue::take_from_store(inline_job& out) noexcept {
  std::lock_guard const lock(store_mutex_);
  if (ring_.head() < spill_begin_) return false;
  bool const found = store_.ready();
  if (found) out.take_from(store_.remove_first().mapped());
  leave_store_if_empty();
  return found;
}

// Under the lock. With the store empty every position up to the word's has been taken (or cancelled
// out of the store), provided that the ring is empty too; then the next job may use the ring again.
void job_queue::leave_store_if_empty() noexcept {
  if (!store_.empty() || ring_.head() < spill_begin_) return;
  auto word = word_.load(std::memory_order_acquire);
  if ((word & spilling_bit) == 0) return;
  ring_.skip_to(position_of(word));
  spill_begun_.store(false, std::memory_order_seq_cst);
  word_.fetch_and(~spilling_bit, std::memory_order_acq_rel);
}

void job_queue::bury(std::uint64_t position, pool_core& core) {
  if (ring_.bury(position)) {
    inline_job shell;
    while (ring_.take_dead(shell)) shell.discard(core, {});
    return;
  }
  if (!spill_begun_.load(std::memory_order_seq_cst)) return;
  overflow_store::node removed;
  {
    std::lock_guard const lock(store_mutex_);
    removed = store_.remove(position);
    leave_store_if_empty();
  }
  if (!removed.empty()) removed.mapped().discard(core, {});
}

bool job_queue::try_finish() noexcept {
  // The addition of nothing is a read-modify-write: of two threads whose jobs end at the same time
  // the second to come here sees what both have counted.
  auto const before = word_.fetch_or(0, std::memory_order_acq_rel);
  if ((before & closed_bit) == 0 || (before & drained_bit) != 0) return false;
  // Read in this order: a running job may still submit, but only while it has not ended itself. If
  // all positions given out by now had ended before now, none is left that could submit.
  auto const finished = counts_.finished();
  if (position_of(word_.load(std::memory_order_acquire)) != finished) return false;
  return (word_.fetch_or(drained_bit, std::memory_order_acq_rel) & drained_bit) == 0;
}

std::chrono::milliseconds job_queue::oldest_age() const {
  std::uint32_t stamp = 0;
  if (ring_.oldest_stamp(stamp)) return age_of(stamp);
  if (spill_begun_.load(std::memory_order_acquire)) {
    std::lock_guard const lock(store_mutex_);
    if (ring_.head() >= spill_begin_ && store_.ready()) return age_of(store_.first_stamp());
  }
  return std::chrono::milliseconds{0};
}

}  // namespace brigade::detail
