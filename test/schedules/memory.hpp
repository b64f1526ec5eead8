// A memory that gives a load every value which C++ allows it to have, within limits that are named
// below.
//
// Each atomic is a place that keeps all values it ever had, in the order in which they were stored.
// A thread has a view: the oldest value of each place that it may still read.
// - A load reads any value that is not older than that, and moves the view there. With acquire it
//   joins what the storing thread had seen, if that stored with release, or if read-modify-writes
//   lead back to such a store (release sequences).
// - A read-modify-write reads the newest value; a compare-exchange that fails may have read an
//   older one, and a weak one fails for no reason.
// - Sequentially consistent operations and fences have one order, that in which they are reached:
//   such a load reads nothing older than the last such store, and a fence joins all that was seen
//   by those who passed one before.
// - An asymmetric fence is one for those who meet its other side: the light ones among themselves
//   do nothing.
// - Plain data is a place, too: who touches it must have seen the last touch, or it is a data race.
//
// What it does not do: a store never takes its place before one that was reached earlier (no
// reordering of two stores to the same place by different threads), and no load reads a value that
// has not been stored yet.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace test::schedules {

/// By place: the oldest value that may be read.
class view {
 public:
  std::uint32_t& operator[](std::size_t place) {
    if (place >= oldest_.size()) oldest_.resize(place + 1);
    return oldest_[place];
  }
  void join(view const& other);

 private:
  std::vector<std::uint32_t> oldest_;
};

class memory {
 public:
  using place = std::uint32_t;

  /// The place of an atomic; one that was never heard of has had its initial value for ever.
  place place_of(void const* where, std::uint64_t initial);
  /// An atomic is constructed, or destroyed.
  void make(void const* where, std::uint64_t initial);
  void forget(void const* where) { places_.erase(where); }

  /// How many values a load might read.
  std::size_t choices(place p, view& mine, std::memory_order order);
  /// Reads the value that is so much older than the newest.
  std::uint64_t load(place p, std::size_t age, view& mine, std::memory_order order);
  [[nodiscard]] std::uint64_t look(place p, std::size_t age) const;
  void store(place p, std::uint64_t to, view& mine, std::memory_order order);
  /// Reads the newest value and stores another one, in one step.
  std::uint64_t newest(place p) const { return look(p, 0); }
  void change(place p, std::uint64_t to, view& mine, std::memory_order order);
  /// Before the threads begin: there is no other value.
  void set(place p, std::uint64_t to);

  void fence(view& mine);
  void light_fence(view& mine);
  void heavy_fence(view& mine);

  /// False: somebody else has touched it, and this thread cannot know.
  bool touch(void const* where, view& mine);

  /// Values of a place are counted from the one that was there first.
  bool is_newest(place p, std::uint32_t index) const { return index + 1 == values_[p].size(); }
  void show_newest(place p, view& mine) {
    mine[p] = static_cast<std::uint32_t>(values_[p].size() - 1);
  }

 private:
  struct value {
    std::uint64_t is;
    view seen;  // by whoever stored it, where that was with release
  };
  std::uint64_t read(place p, std::size_t index, view& mine, std::memory_order order);

  std::unordered_map<void const*, place> places_;
  std::vector<std::vector<value>> values_;  // by place
  view ordered_;                            // of sequentially consistent stores and fences
  view light_;                              // by those who passed light fences
  view heavy_;
};

}  // namespace test::schedules
