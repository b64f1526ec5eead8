// brigade: a slot first, the job later.
//
//   auto slot = pool.try_reserve();
//   if (!slot) return busy();
//   auto const message = fetch();           // only what can be worked on is fetched
//   slot->async_submit([message] { handle(message); }, token);
//
// Thread safety: distinct objects: safe. Shared objects: unsafe.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdexcept>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>

#include <brigade/detail/controlled_post.hpp>
#include <brigade/detail/held_slot.hpp>
#include <brigade/detail/initiate_submit.hpp>
#include <brigade/error.hpp>
#include <brigade/options.hpp>

namespace brigade {

/// One admitted slot of a pool, to be spent on a job or given back. It counts as in flight: a drain
/// waits for it, close() leaves it valid, stop() takes it away. It may outlive the pool.
class permit {
 public:
  /// Holds nothing.
  permit() noexcept = default;
  permit(permit&&) noexcept = default;
  permit& operator=(permit&&) noexcept = default;
  /// Gives the slot back if it was not spent.
  ~permit() = default;

  /// Whether there is a slot to spend. stop() may have taken it away all the same.
  explicit operator bool() const noexcept { return slot_.core() != nullptr; }

  /// Gives the slot back now. Idempotent.
  void release() noexcept { slot_.give_back(); }

  /// Spends the slot: runs `f()` on a worker, as worker_pool::try_post does.
  ///
  /// Returns: no error; or `errc::closed` (the pool has been stopped), with `f` not moved from.
  /// Never `queue_full`. The permit is empty afterwards either way.
  /// Throws: `std::logic_error` if it holds no slot; else as try_post, and then the slot is kept.
  /// Cost: as try_post, and two operations on shared counts
  template <class F>
    requires(detail::check_postable<std::decay_t<F>>())
  [[nodiscard]] error_code post(F&& f, submit_options options = {}) {
    auto& core = checked();
    detail::caller_guard const inside(core);
    options.lane = slot_.lane();
    options.when_full = overflow::reject;
    detail::submit_terms const terms{options, true};
    auto const verdict = terms.need_control()
                             ? detail::post_controlled(core, std::forward<F>(f), terms)
                             : detail::post(core, std::forward<F>(f), terms);
    slot_.give_back();
    return verdict;
  }

  /// Spends the slot: runs `job` and gives its result to `token`, as worker_pool::async_submit
  /// does, but is never refused for want of room. The permit is empty afterwards. `options.lane`
  /// and `when_full` are not looked at.
  ///
  /// Throws: `std::logic_error` if it holds no slot; else as async_submit
  template <class F, class Token>
  auto async_submit(F&& job, submit_options options, Token&& token) {
    static_cast<void>(checked());
    options.lane = slot_.lane();
    options.when_full = overflow::reject;
    using signature = typename detail::job_shape<std::decay_t<F>>::signature;
    return boost::asio::async_initiate<Token, signature>(
        detail::initiate_submit_in_slot{std::move(slot_), options}, token, std::forward<F>(job));
  }
  template <class F, class Token>
  auto async_submit(F&& job, Token&& token) {
    return async_submit(std::forward<F>(job), submit_options{}, std::forward<Token>(token));
  }

  /// For the library: a permit for a slot that is held.
  explicit permit(detail::held_slot&& slot) noexcept : slot_(std::move(slot)) {}

 private:
  detail::pool_core& checked() const {
    if (slot_.core() != nullptr) return *slot_.core();
    throw std::logic_error(
        "brigade::permit: it holds no slot (spent, given back or moved from); reserve a new one");
  }

  detail::held_slot slot_;
};

}  // namespace brigade
