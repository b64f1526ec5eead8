// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/caller_guard.hpp>

#include <new>

#include <brigade/detail/relax.hpp>

namespace brigade::detail {

namespace {

/// A thread's place in the list of all. Never freed, so that the list can be walked without a lock;
/// given on to another thread instead.
struct alignas(64) listed_place {
  std::atomic<void const*> core{nullptr};
  std::atomic<bool> taken{true};
  listed_place* next = nullptr;
};

constinit std::atomic<listed_place*> all_places{nullptr};
constinit thread_local bool thread_is_ending = false;

listed_place* take_a_place() noexcept {
  for (auto* place = all_places.load(std::memory_order_acquire); place != nullptr;
       place = place->next) {
    if (!place->taken.load(std::memory_order_relaxed) &&
        !place->taken.exchange(true, std::memory_order_acquire)) {
      return place;
    }
  }
  auto* const place = new (std::nothrow) listed_place;
  if (place == nullptr) return nullptr;
  place->next = all_places.load(std::memory_order_relaxed);
  while (!all_places.compare_exchange_weak(place->next, place, std::memory_order_release,
                                           std::memory_order_relaxed)) {
  }
  return place;
}

}  // namespace

/// Gives the place back when its thread ends.
struct thread_place {
  listed_place* taken = take_a_place();

  ~thread_place() {
    thread_is_ending = true;
    caller_guard::own_place_ = nullptr;
    if (taken != nullptr) taken->taken.store(false, std::memory_order_release);
  }
};

caller_guard::place* caller_guard::make_own_place() noexcept {
  if (thread_is_ending) return nullptr;
  static thread_local thread_place mine;
  if (mine.taken != nullptr) own_place_ = &mine.taken->core;
  return own_place_;
}

void caller_guard::wait_for_others(void const* core) noexcept {
  for (auto* place = all_places.load(std::memory_order_acquire); place != nullptr;
       place = place->next) {
    if (&place->core == own_place_) continue;
    for (unsigned lap = 1; place->core.load(std::memory_order_acquire) == core; ++lap) relax(lap);
  }
}

}  // namespace brigade::detail
