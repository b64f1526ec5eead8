// What a worker is busy with: which job, since when, on which thread.
//
// No clock is read for it: the turn reads one after every job that takes long, and now and then while
// jobs are tiny (turn_budget.hpp), and that reading is where the next job begins. A job that is not the first
// since the last reading has begun later than the record says; `exact` tells.
//
// Ordering: one writer, the turn that holds the worker's slot; the crew's word orders one turn
// before the next. Every store is a release and every load an acquire (plain moves on x86), and the
// other members only change while the word says `resting`. So the word is their version: they are
// written before it says `job`, and a reader who meets a later value of one of them finds a later
// word when it looks again, and tries once more.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace brigade::detail {

class alignas(64) worker_activity {
 public:
  enum class phase : unsigned { resting, job, handler };

  struct reading {
    std::uint64_t job = 0;  // counted from the worker's first
    phase now = phase::resting;
    bool exact = false;      // it began at `since`, and not later
    bool stuck = false;      // it has been told of as such
    std::int64_t since = 0;  // steady_clock nanoseconds
    char const* name = nullptr;
    std::uint64_t thread = 0;
  };

  // ── by the worker's turn ──

  /// The clock was read, between two jobs.
  void looked(std::int64_t now) noexcept {
    rest();
    since_.store(now, std::memory_order_release);
    looked_at_.store(jobs(), std::memory_order_release);
  }
  void begin_turn(std::int64_t now, std::uint64_t thread) noexcept {
    rest();
    thread_.store(thread, std::memory_order_release);
    show(nullptr);
    looked(now);
  }
  /// A job that has the name that is shown: none after begin_turn().
  void start() noexcept {
    static_assert(static_cast<unsigned>(phase::job) == 1);  // one job more, whatever the phase was
    word_.store((word_.load(std::memory_order_relaxed) | 3) + 2, std::memory_order_release);
  }
  /// Of the jobs that start from now on. `name`: null, or alive for as long as the pool.
  void show(char const* name) noexcept {
    if (name_.load(std::memory_order_relaxed) == name) return;
    rest();
    name_.store(name, std::memory_order_release);
  }
  void end() noexcept { set(jobs(), phase::handler); }
  /// The clock was read at the end of the job.
  void ended(std::int64_t now) noexcept {
    ended_at_ = now;
    ended_ = word_.load(std::memory_order_relaxed);
  }
  void rest() noexcept { set(jobs(), phase::resting); }
  /// Something took time that was no job: what was read before is no job's beginning or end.
  void pass_over() noexcept {
    rest();
    looked_at_.store(never, std::memory_order_release);
  }

  [[nodiscard]] std::int64_t since() const noexcept {
    return since_.load(std::memory_order_relaxed);
  }
  /// since(), where no job has started since; else 0, which the clock never shows.
  [[nodiscard]] std::int64_t next_begins() const noexcept {
    return looked_at_.load(std::memory_order_relaxed) == jobs() ? since() : 0;
  }
  /// When the job that is shown ended, where the clock was read then and nothing has followed it; else
  /// 0.
  [[nodiscard]] std::int64_t just_ended() const noexcept {
    auto const word = word_.load(std::memory_order_relaxed);
    return word == ended_ && (word & 3) == static_cast<unsigned>(phase::job) ? ended_at_ : 0;
  }
  [[nodiscard]] char const* name() const noexcept { return name_.load(std::memory_order_relaxed); }

  /// By the watch for stuck jobs: this one is.
  void note_stuck(std::uint64_t job) noexcept { stuck_.store(job, std::memory_order_relaxed); }

  // ── by anyone ──

  /// One consistent reading; `resting` for a worker that goes from job to job so fast that there is
  /// none.
  [[nodiscard]] reading read() const noexcept {
    for (int attempt = 0; attempt != 8; ++attempt) {
      auto const word = word_.load(std::memory_order_acquire);
      reading found;
      found.job = word >> 2;
      found.now = static_cast<phase>(word & 3);
      found.since = since_.load(std::memory_order_acquire);
      found.stuck = stuck_.load(std::memory_order_relaxed) == found.job && found.job != 0;
      found.exact = looked_at_.load(std::memory_order_acquire) + 1 == found.job;
      found.name = name_.load(std::memory_order_acquire);
      found.thread = thread_.load(std::memory_order_acquire);
      if (word_.load(std::memory_order_acquire) == word) return found;
    }
    return {};
  }

 private:
  static constexpr std::uint64_t never = ~std::uint64_t{0} - 1;  // no job comes after it

  [[nodiscard]] std::uint64_t jobs() const noexcept {
    return word_.load(std::memory_order_relaxed) >> 2;
  }
  void set(std::uint64_t jobs, phase next) noexcept {
    word_.store(jobs << 2 | static_cast<unsigned>(next), std::memory_order_release);
  }

  std::atomic<std::uint64_t> word_{0};  // jobs started, and the phase
  std::atomic<std::int64_t> since_{0};
  std::atomic<std::uint64_t> looked_at_{0};  // how many jobs when the clock was read
  std::atomic<char const*> name_{nullptr};
  std::atomic<std::uint64_t> thread_{0};
  std::uint64_t ended_ =
      0;  // the word of the job at whose end the clock was read; the turn's alone
  std::int64_t ended_at_ = 0;
  std::atomic<std::uint64_t> stuck_{0};  // which job was found to be; says nothing else
};

}  // namespace brigade::detail
