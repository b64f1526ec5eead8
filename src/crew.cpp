// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/crew.hpp>

namespace brigade::detail {

crew::crew(unsigned size)
    : size_(size), word_(size), next_(std::make_unique<atomic<std::uint32_t>[]>(size)) {
  for (unsigned slot = size; slot != 0; --slot) push(slot - 1);
}

bool crew::claim_wake(unsigned& slot) noexcept {
  auto word = word_.load(std::memory_order_seq_cst);
  while (needs_wake(word)) {
    if (word_.compare_exchange_weak(word, word - 1 + searcher(), std::memory_order_seq_cst)) {
      slot = pop();
      return true;
    }
  }
  return false;
}

bool crew::begin_search() noexcept {
  if (size_ == 1) return true;
  auto word = word_.load(std::memory_order_relaxed);
  while (searchers_of(word) == 0) {
    if (word_.compare_exchange_weak(word, word + one_searcher, std::memory_order_seq_cst)) {
      return true;
    }
  }
  return false;
}

void crew::go_idle(unsigned slot, bool was_searching) noexcept {
  push(slot);  // first the slot, then the count that promises it
  word_.fetch_add(was_searching ? 1 - searcher() : 1, std::memory_order_seq_cst);
}

unsigned crew::busy() const noexcept {
  auto const word = word_.load(std::memory_order_relaxed);
  auto const resting = idle_of(word) + searchers_of(word);
  return resting < size_ ? size_ - resting : 0;
}

void crew::push(unsigned slot) noexcept {
  auto top = top_.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next_[slot].store(static_cast<std::uint32_t>(top), std::memory_order_relaxed);
    next = (((top >> 32) + 1) << 32) | (slot + 1);
  } while (
      !top_.compare_exchange_weak(top, next, std::memory_order_release, std::memory_order_relaxed));
}

unsigned crew::pop() noexcept {
  auto top = top_.load(std::memory_order_acquire);
  std::uint64_t next = 0;
  do {
    auto const slot = static_cast<std::uint32_t>(top) - 1;
    next = (((top >> 32) + 1) << 32) | next_[slot].load(std::memory_order_relaxed);
  } while (
      !top_.compare_exchange_weak(top, next, std::memory_order_acquire, std::memory_order_acquire));
  return static_cast<std::uint32_t>(top) - 1;
}

}  // namespace brigade::detail
