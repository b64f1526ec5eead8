// A small world under control: threads of which one runs at a time, and which may only change where
// one is about to do something that others can notice. They are fibers of a single thread of the
// system, so nothing in a run depends on anything but the decisions.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <ucontext.h>

#include "schedules/decisions.hpp"
#include "schedules/memory.hpp"

namespace test::schedules {

class world {
 public:
  /// `trace`: every step is printed.
  explicit world(decisions& by, bool trace = false);
  ~world();
  world(world const&) = delete;
  world& operator=(world const&) = delete;

  /// Before run(). Threads are numbered from 0.
  void thread(char const* name, std::function<void()> body);
  /// Runs all threads until each has ended or waits for something that will not come.
  void run();

  static world& current() noexcept { return *current_; }
  static world* if_any() noexcept { return current_; }

  /// The thread that runs.
  [[nodiscard]] std::size_t running() const noexcept { return running_; }

  // ── what must hold ──

  /// Ends the run. Does not return where a thread calls it.
  void fail(std::string what);
  void expect(bool holds, char const* what) {
    if (!holds) fail(what);
  }
  /// Plain data that two threads must not touch without order between them.
  void touch(void const* where);
  [[nodiscard]] bool ended(std::size_t thread) const { return fibers_[thread]->ended; }
  /// The threads that have not ended and are not in `but`; what they wait for does not come.
  void expect_ended(std::size_t first, std::size_t last);
  /// Empty, or what went wrong first.
  [[nodiscard]] std::string const& failure() const noexcept { return failure_; }
  /// What by_script takes.
  [[nodiscard]] std::string schedule() const;

  // ── by what stands in for atomics ──

  void made(void const* where, std::uint64_t initial);
  void destroyed(void const* where);
  std::uint64_t load(void const* where, std::uint64_t initial, std::memory_order order,
                     std::source_location const& at);
  void store(void const* where, std::uint64_t initial, std::uint64_t to, std::memory_order order,
             std::source_location const& at);
  std::uint64_t change(void const* where, std::uint64_t initial,
                       std::uint64_t (*how)(std::uint64_t, std::uint64_t), std::uint64_t by,
                       std::memory_order order, std::source_location const& at);
  /// True: it was `expected`.
  bool exchange_if(void const* where, std::uint64_t initial, std::uint64_t& expected,
                   std::uint64_t to, std::memory_order order, std::memory_order otherwise,
                   bool may_fail, std::source_location const& at);
  void fence(std::source_location const& at);
  void light_fence(std::source_location const& at);
  void heavy_fence(std::source_location const& at);
  /// The thread can do nothing before others do something.
  void spin();

  /// How many places in the code have been seen that are worth a change of threads.
  static std::size_t contended_sites() noexcept { return contended_count_; }
  /// Every access so far that is not relaxed.
  struct access_site {
    std::string place;  // `class::function access`
    unsigned line;
    bool ordered;  // sequentially consistent
    friend auto operator<=>(access_site const&, access_site const&) = default;
  };
  static std::vector<access_site> access_sites();

 private:
  template <class>
  friend class mailbox;

  struct late_store {
    memory::place where;
    std::uint64_t to;
    std::memory_order order;
  };
  struct sight {
    memory::place where;
    std::uint32_t value;  // the first that was read
  };
  struct fiber {
    char const* name;
    std::function<void()> body;
    ucontext_t context{};
    std::unique_ptr<char[]> stack;
    view seen;
    std::vector<sight> read;  // since it last span
    std::vector<late_store> late;
    bool ended = false;
    std::function<bool()> may_go_on;  // empty: at any time
  };
  struct choice {
    unsigned step;
    char kind;
    std::size_t value;
  };
  struct use {  // of a place, in this run
    unsigned threads = 0;
    bool written = false;
    std::vector<unsigned> sites;
  };

  static void begin();
  static unsigned site_of(std::source_location const& at, char const* access,
                          std::memory_order order);
  [[nodiscard]] bool in_thread() const noexcept { return running_ != nobody; }
  fiber& me() { return *fibers_[running_]; }
  [[nodiscard]] std::vector<std::size_t> ready() const;
  void step(bool contended);  // others may go on first
  void step(memory::place p, unsigned site, bool writes);
  void wait(std::function<bool()> may_go_on);  // others go on until it may
  void leave();                                // for ever
  std::size_t next(std::vector<std::size_t> others);
  void switch_to(std::size_t next);
  void flush_late();
  void has_read(memory::place p);
  void has_written(memory::place p);
  void learn();
  void tell(char const* what, std::uint64_t value, std::source_location const& at);

  static constexpr std::size_t nobody = ~std::size_t{0};
  static inline world* current_ = nullptr;
  static std::size_t contended_count_;

  decisions& by_;
  bool const trace_;
  memory memory_;
  std::vector<use> uses_;  // by place
  std::vector<std::unique_ptr<fiber>> fibers_;
  std::size_t running_ = nobody;
  std::uint64_t changes_ = 0;  // of memory
  unsigned steps_ = 0;
  std::vector<choice> choices_;
  ucontext_t outside_{};
  std::string failure_;
};

/// What one thread waits for and others give, one after the other: a queue with a mutex, so whoever
/// takes has seen what all did who gave or took before.
template <class T>
class mailbox {
 public:
  void give(T what) {
    auto& here = world::current();
    if (here.in_thread()) {
      here.step(true);
      exchange_views(here);
      ++here.changes_;
    }
    waiting_.push_back(std::move(what));
  }
  /// Waits for ever where nobody gives any more.
  T await() {
    auto& here = world::current();
    if (waiting_.empty()) {
      here.wait([this] { return !waiting_.empty(); });
    } else {
      here.step(true);
      if (waiting_.empty()) return await();
    }
    exchange_views(here);
    T what = std::move(waiting_.front());
    waiting_.pop_front();
    return what;
  }
  /// After the run.
  void clear() { waiting_.clear(); }

 private:
  void exchange_views(world& here) {
    here.me().seen.join(seen_);
    seen_.join(here.me().seen);
  }

  std::deque<T> waiting_;
  view seen_;
};

}  // namespace test::schedules
