// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/job_queue.hpp>

#include <algorithm>
#include <utility>

#include <brigade/detail/empty_shell.hpp>
#include <brigade/detail/job_ending.hpp>

namespace brigade::detail {

namespace {

job_ending const nobody{};

// Small pools get some cells more than jobs, so that a few cancellations do not make them spill.
constexpr std::size_t fewest_cells = 64;

}  // namespace

job_queue::job_queue(std::size_t capacity, ledger const& counts, unsigned lane, bool fine_stamps)
    : counts_(counts),
      capacity_(capacity),
      lane_(lane),
      fine_stamps_(fine_stamps),
      ring_(std::bit_ceil(std::max(capacity, fewest_cells))) {}

// The limit for `who`; the gate keeps the one for those who have no slot.
std::uint64_t job_queue::raise_limit(submitter who) noexcept {
  auto const by_slots = finished() + capacity_;
  auto const by_cells = ring_.head() + ring_.size();
  gate_.set_limit(std::min(by_slots, by_cells));
  return who == submitter::slot_holder ? by_cells : std::min(by_slots, by_cells);
}

admission_claim job_queue::admit_to_store(submitter who) {
  auto node = overflow_store::make_node();
  std::unique_lock lock(store_mutex_);
  auto word = gate_.look();
  for (;;) {
    if (!is_open(word, who)) return {why_refused(word, who), lane_};
    auto const position = position_of(word);
    if (who != submitter::slot_holder && room(position) == 0) return {verdict::queue_full, lane_};
    bool const spilling = (word & spilling_bit) != 0;
    if (!spilling && position < raise_limit(who)) {
      lock.unlock();
      return admit(who);
    }
    if (gate_.give_out(word, 1, spilling_bit)) {
      // With the bit set nobody else gets a position but under this lock.
      if (!spilling) {
        spill_begin_ = position;
        spill_begun_.store(true, std::memory_order_seq_cst);
      }
      return {verdict::admitted, lane_, position, 1, &store_.insert(std::move(node), position)};
    }
  }
}

void job_queue::publish_in_store(std::uint64_t position, job_note const& note) noexcept {
  std::lock_guard const lock(store_mutex_);
  store_.publish(position, stamp(), note);
}

bool job_queue::store_ready() const noexcept {
  std::lock_guard const lock(store_mutex_);
  return ring_.head() >= spill_begin_ && store_.ready();
}

bool job_queue::take_from_store(inline_job& out, job_note& note) noexcept {
  std::lock_guard const lock(store_mutex_);
  if (ring_.head() < spill_begin_) return false;
  bool const found = store_.ready();
  if (found) {
    auto first = store_.remove_first();
    note = first.mapped().note;
    out.take_from(first.mapped().job);
  }
  leave_store_if_empty();
  return found;
}

// Under the lock. With the store empty every position up to the word's has been taken (or cancelled
// out of the store), provided that the ring is empty too; then the next job may use the ring again.
void job_queue::leave_store_if_empty() noexcept {
  if (!store_.empty() || ring_.head() < spill_begin_) return;
  auto const word = gate_.look();
  if ((word & spilling_bit) == 0) return;
  ring_.skip_to(position_of(word));
  spill_begun_.store(false, std::memory_order_seq_cst);
  gate_.clear(spilling_bit);
}

void job_queue::leave_empty(admission_claim const& c, std::uint64_t index) {
  open(c, index).emplace<empty_shell>();
  if (c.spilled == nullptr) {
    ring_.publish_dead(c.position + index);
    clear_front();
  } else {
    std::lock_guard const lock(store_mutex_);
    store_.remove(c.position);
    leave_store_if_empty();
  }
}

void job_queue::clear_front() noexcept {
  inline_job shell;
  while (ring_.take_dead(shell)) shell.discard(nobody);
}

void job_queue::bury(std::uint64_t position) {
  if (ring_.bury(position)) return clear_front();
  if (auto shelved = shelf_.remove(position); !shelved.empty()) {
    shelved.mapped().job.discard(nobody);
    return;
  }
  if (!spill_begun_.load(std::memory_order_seq_cst)) return;
  overflow_store::node removed;
  {
    std::lock_guard const lock(store_mutex_);
    removed = store_.remove_published(position);
    leave_store_if_empty();
  }
  if (!removed.empty()) removed.mapped().job.discard(nobody);
}

std::chrono::milliseconds job_queue::oldest_age() const {
  std::uint32_t stamp = 0;
  if (shelf_.oldest_stamp(stamp) || ring_.oldest_stamp(stamp)) return age_of(stamp);
  if (spill_begun_.load(std::memory_order_acquire)) {
    std::lock_guard const lock(store_mutex_);
    if (ring_.head() >= spill_begin_ && store_.ready()) return age_of(store_.first_stamp());
  }
  return std::chrono::milliseconds{0};
}

}  // namespace brigade::detail
