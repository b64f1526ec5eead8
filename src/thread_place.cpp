// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/thread_place.hpp>

#include <new>

namespace brigade::detail {

namespace {

constinit std::atomic<thread_place*> all_places{nullptr};
constinit std::atomic<unsigned> next_number{0};
constinit thread_local bool thread_is_ending = false;

// Acquire on `taken`: what the last owner wrote by plain stores under this number is seen.
thread_place* take_a_place() noexcept {
  for (auto* place = thread_place::first(); place != nullptr; place = place->next) {
    if (!place->taken.load(std::memory_order_relaxed) &&
        !place->taken.exchange(true, std::memory_order_acquire)) {
      return place;
    }
  }
  auto* const place = new (std::nothrow) thread_place;
  if (place == nullptr) return nullptr;
  place->number = next_number.fetch_add(1, std::memory_order_relaxed);
  place->next = all_places.load(std::memory_order_relaxed);
  while (!all_places.compare_exchange_weak(place->next, place, std::memory_order_release,
                                           std::memory_order_relaxed)) {
  }
  return place;
}

}  // namespace

/// Gives the place back when its thread ends.
struct thread_place_holder {
  thread_place* held = take_a_place();

  ~thread_place_holder() {
    thread_is_ending = true;
    thread_place::mine_ = nullptr;
    if (held != nullptr) held->taken.store(false, std::memory_order_release);
  }
};

thread_place* thread_place::make_mine() noexcept {
  if (thread_is_ending) return nullptr;
  static thread_local thread_place_holder holder;
  mine_ = holder.held;
  return mine_;
}

thread_place* thread_place::first() noexcept { return all_places.load(std::memory_order_acquire); }

}  // namespace brigade::detail
