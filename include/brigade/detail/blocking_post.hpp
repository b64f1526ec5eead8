// post_for: a plain thread that blocks until there is room. Where that is now, or within some
// microseconds, it takes no place in the line, and so costs as much as try_post.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include <brigade/detail/post_job.hpp>
#include <brigade/detail/relax.hpp>
#include <brigade/detail/reservation.hpp>

namespace brigade::detail {

/// When a timeout is over; never, where it is too long for the clock.
template <class Rep, class Period>
clock::time_point time_after(std::chrono::duration<Rep, Period> timeout) noexcept {
  auto const now = clock::now();
  auto const longest = std::chrono::duration<long double>(clock::time_point::max() - now);
  if (std::chrono::duration<long double>(timeout) >= longest) return clock::time_point::max();
  return now + std::chrono::ceil<clock::duration>(timeout);
}

/// As post(), but leaves a full pool to the caller: nothing is counted then.
template <class F>
std::optional<error_code> post_if_room(pool_core& core, F&& f, unsigned lane) {
  [[maybe_unused]] unsettled_if_it_may_throw<std::decay_t<F>, F> const until_filled(core.permits(),
                                                                                    lane);
  auto const claim = core.admit(lane);
  if (claim.answer == verdict::queue_full) return std::nullopt;
  if (claim.answer != verdict::admitted) return core.refuse(claim.answer);
  fill<std::decay_t<F>>(core, claim, 0, std::forward<F>(f));
  core.wake_if_needed();
  return error_code{};
}

/// The same of a pool that was full, for some microseconds. Who stands in line has the first right to
/// a slot: while somebody does, there is nothing to wait for outside of it.
template <class F>
std::optional<error_code> post_if_room_soon(pool_core& core, F&& f, unsigned lane,
                                            clock::time_point until) {
  for (unsigned wait = 0; wait != 4; ++wait) {
    if (core.slots_awaited().load(std::memory_order_relaxed) || clock::now() >= until) break;
    stand_back(wait);
    if (auto const answer = post_if_room(core, std::forward<F>(f), lane)) return answer;
  }
  return std::nullopt;
}

/// Blocks until there is a slot or `options.start_by` has passed.
struct blocking_grant {
  std::shared_ptr<std::promise<std::pair<error_code, held_slot>>> answer;
  void operator()(pool_core&, error_code const& result, held_slot&& slot) {
    answer->set_value({result, std::move(slot)});
  }
};

inline std::pair<error_code, held_slot> reserve_blocking(pool_core& core,
                                                         submit_options const& options) {
  auto answer = std::make_shared<std::promise<std::pair<error_code, held_slot>>>();
  auto granted = answer->get_future();
  reserve(core, options, blocking_grant{std::move(answer)},
          [](std::shared_ptr<job_control> const&) {});
  return granted.get();
}

}  // namespace brigade::detail
