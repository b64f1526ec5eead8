// Who goes on, and how old a value a load reads: decided by a search that goes through everything
// within limits, by a seed, or by a schedule that is written down.
//
// A schedule is what happens differently from the plainest run, in which a thread goes on until it
// waits or ends, the next in turn that can goes on then, and loads read the newest value:
// `57t2.80o1` is thread 2 that goes on at step 57, and a load at step 80 that reads a value older
// by one.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test::schedules {

class decisions {
 public:
  virtual ~decisions() = default;

  /// A run begins.
  virtual void begin() {}
  /// Which of `others` goes on instead of `running`; `running` itself if it is to go on.
  /// `contended`: others may have to do with what the thread is about to do.
  virtual std::size_t thread(unsigned step, std::size_t running,
                             std::vector<std::size_t> const& others, bool contended) = 0;
  /// The running thread cannot go on: who of `others` does, the plainest first.
  virtual std::size_t next(unsigned step, std::vector<std::size_t> const& others) = 0;
  /// How much older than the newest, below `count`.
  virtual std::size_t age(unsigned step, std::size_t count) = 0;
};

struct limits {
  unsigned changes = 2;  // of who goes on, where another one would have in the plainest run
  unsigned old = 1;      // loads that read something old
};

/// Each schedule within the limits, one after the other.
class search final : public decisions {
 public:
  explicit search(limits most) : most_(most) {}

  void begin() override;
  std::size_t thread(unsigned, std::size_t running, std::vector<std::size_t> const& others,
                     bool contended) override;
  std::size_t next(unsigned, std::vector<std::size_t> const& others) override;
  std::size_t age(unsigned, std::size_t count) override;

  /// Goes on to the next schedule. False: that was the last.
  bool advance();
  /// Begins anew.
  void restart() { path_.clear(); }

 private:
  std::size_t choose(std::size_t count);

  limits const most_;
  limits left_;
  std::size_t at_ = 0;
  std::vector<std::pair<std::size_t, std::size_t>> path_;  // what was chosen, of how many
};

/// By a seed, which also says how often something special happens.
class by_seed final : public decisions {
 public:
  explicit by_seed(std::uint64_t seed);

  std::size_t thread(unsigned, std::size_t running, std::vector<std::size_t> const& others,
                     bool) override;
  std::size_t next(unsigned, std::vector<std::size_t> const& others) override;
  std::size_t age(unsigned, std::size_t count) override;

 private:
  std::mt19937_64 random_;
  unsigned change_every_;
  unsigned old_every_;
};

/// A schedule that was written down.
class by_script final : public decisions {
 public:
  /// Throws: `std::invalid_argument`.
  explicit by_script(std::string_view schedule);

  std::size_t thread(unsigned step, std::size_t running, std::vector<std::size_t> const& others,
                     bool) override;
  std::size_t next(unsigned step, std::vector<std::size_t> const& others) override;
  std::size_t age(unsigned step, std::size_t count) override;

 private:
  std::size_t of_thread(unsigned step, std::vector<std::size_t> const& others,
                        std::size_t otherwise) const;

  std::map<unsigned, std::size_t> threads_;
  std::map<unsigned, std::size_t> ages_;
};

}  // namespace test::schedules
