// The crew: which workers have a turn (posted or running), who of them is searching for a job, and
// who has to be woken.
//
// Invariants
// 1. `idle + active == size`; `searching <= 1`. A turn is idle (has given its slot back), or
//    active: posted, running jobs, or searching. A turn that was just posted counts as searching
//    until it finds a job or goes idle.
// 2. No lost wake-up. A submitter publishes its job, then reads the crew; a worker changes the
//    crew, then looks at the queue once more. Both pairs are sequentially consistent, so at least
//    one of the two sees the other. If the submitter sees a searcher it leaves the job to it: that
//    searcher will look at the queue again after it has stopped being one, either way it stops.
//    Leaving a position empty is publishing, too: it uncovers the jobs that came behind it.
// 3. No herd. Nobody is woken while somebody searches; a searcher that finds a job wakes the next
//    worker only if there is more to do.
//
// The rule is the one of Go's scheduler (one spinning thread hands the role on) with the semaphore
// replaced by a turn posted to the executor. The slots are a Treiber stack, so the worker that went
// idle last, whose counts are still in somebody's cache, is given work first; its tag rules out
// ABA.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <brigade/detail/atomic.hpp>

namespace brigade::detail {

class crew {
 public:
  explicit crew(unsigned size);

  [[nodiscard]] unsigned size() const noexcept { return size_; }

  /// Whether a submitter that has just published a job has to wake a worker.
  [[nodiscard]] bool needs_wake() const noexcept {
    auto const word = word_.load(std::memory_order_seq_cst);
    return needs_wake(word) || (word & alarm) != 0;
  }

  /// Makes one idle worker a searcher; its slot is the caller's to start a turn with. False: nobody
  /// need be woken.
  bool claim_wake(unsigned& slot) noexcept;

  /// An active worker found the queue empty. True: it is the searcher now. False: another one is.
  bool begin_search() noexcept;

  /// The searcher has found a job. It must look at the queue after this, and wake if there is more.
  void end_search() noexcept {
    if (size_ != 1) word_.fetch_sub(one_searcher, std::memory_order_seq_cst);
  }

  /// Gives the slot back. The caller must look at the queue after this, and claim_wake() if there
  /// is a job.
  void go_idle(unsigned slot, bool was_searching) noexcept;

  /// Writes the word without changing it: orders what the caller wrote before against workers that
  /// go idle.
  void synchronize() noexcept { word_.fetch_or(0, std::memory_order_seq_cst); }

  /// From now on every submitter is told that it has to wake, and so comes to see what happened.
  void raise_alarm() noexcept { word_.fetch_or(alarm, std::memory_order_seq_cst); }

  /// Workers that have a turn and do not search.
  [[nodiscard]] unsigned busy() const noexcept;

 private:
  using crew_word = std::uint64_t;  // the alarm, searchers, and idle workers in the low half
  static constexpr crew_word one_searcher = crew_word{1} << 32;
  static constexpr crew_word alarm = crew_word{1} << 63;
  static constexpr std::uint32_t idle_of(crew_word w) noexcept {
    return static_cast<std::uint32_t>(w);
  }
  static constexpr std::uint32_t searchers_of(crew_word w) noexcept {
    return static_cast<std::uint32_t>((w & ~alarm) >> 32);
  }
  static constexpr bool needs_wake(crew_word w) noexcept {
    return idle_of(w) != 0 && searchers_of(w) == 0;
  }
  // With a single worker nobody is idle while one searches: the role need not be written down.
  [[nodiscard]] crew_word searcher() const noexcept { return size_ == 1 ? 0 : one_searcher; }

  void push(unsigned slot) noexcept;
  unsigned pop() noexcept;

  unsigned const size_;
  alignas(64) atomic<crew_word> word_;
  alignas(64) atomic<std::uint64_t> top_{0};  // tag above, slot + 1 below; 0: none
  std::unique_ptr<atomic<std::uint32_t>[]> next_;
};

}  // namespace brigade::detail
