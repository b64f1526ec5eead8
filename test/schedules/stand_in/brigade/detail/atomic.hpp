// What stands in for std::atomic: of the same size and, in zeroed memory, of the same value; every
// access is a step in the current world.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <source_location>

#include "schedules/world.hpp"

namespace brigade::detail {

template <class T>
class atomic {
  using order = std::memory_order;
  using where = std::source_location;
  static constexpr auto strongest = std::memory_order_seq_cst;

 public:
  atomic(T initial = {}) noexcept : initial_(initial) {
    if (auto* const here = world::if_any()) here->made(this, raw(initial));
  }
  ~atomic() {
    if (auto* const here = world::if_any()) here->destroyed(this);
  }
  atomic(atomic const&) = delete;
  atomic& operator=(atomic const&) = delete;

  T load(order o = strongest, where at = where::current()) const noexcept {
    return static_cast<T>(world::current().load(this, raw(initial_), o, at));
  }
  void store(T to, order o = strongest, where at = where::current()) noexcept {
    world::current().store(this, raw(initial_), raw(to), o, at);
  }
  T exchange(T to, order o = strongest, where at = where::current()) noexcept {
    return change([](raw_value, raw_value by) { return by; }, to, o, at);
  }
  T fetch_add(T n, order o = strongest, where at = where::current()) noexcept {
    return change([](raw_value v, raw_value by) { return v + by; }, n, o, at);
  }
  T fetch_sub(T n, order o = strongest, where at = where::current()) noexcept {
    return change([](raw_value v, raw_value by) { return v - by; }, n, o, at);
  }
  T fetch_or(T n, order o = strongest, where at = where::current()) noexcept {
    return change([](raw_value v, raw_value by) { return v | by; }, n, o, at);
  }
  T fetch_and(T n, order o = strongest, where at = where::current()) noexcept {
    return change([](raw_value v, raw_value by) { return v & by; }, n, o, at);
  }
  bool compare_exchange_strong(T& expected, T to, order o, order otherwise,
                               where at = where::current()) noexcept {
    return exchange_if(expected, to, o, otherwise, false, at);
  }
  bool compare_exchange_weak(T& expected, T to, order o, order otherwise,
                             where at = where::current()) noexcept {
    return exchange_if(expected, to, o, otherwise, true, at);
  }
  bool compare_exchange_weak(T& expected, T to, order o = strongest,
                             where at = where::current()) noexcept {
    return exchange_if(expected, to, o, o, true, at);
  }

 private:
  using world = test::schedules::world;
  using raw_value = std::uint64_t;
  static raw_value raw(T value) noexcept { return static_cast<raw_value>(value); }

  T change(raw_value (*how)(raw_value, raw_value), T by, order o, where const& at) noexcept {
    return static_cast<T>(world::current().change(this, raw(initial_), how, raw(by), o, at));
  }
  bool exchange_if(T& expected, T to, order o, order otherwise, bool may_fail,
                   where const& at) noexcept {
    auto found = raw(expected);
    bool const done = world::current().exchange_if(this, raw(initial_), found, raw(to), o,
                                                   otherwise, may_fail, at);
    expected = static_cast<T>(found);
    return done;
  }

  T initial_;
};

}  // namespace brigade::detail
