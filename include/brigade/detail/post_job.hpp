// try_post: a job whose result nobody wants.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <brigade/detail/boxed.hpp>
#include <brigade/detail/inline_job.hpp>
#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/job_frame.hpp>
#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

/// Runs `f`, destroys it with `destroy`, and counts how it ended.
template <class F, class Destroy>
void run_posted(F& f, Destroy destroy, job_context& context, char const* name = nullptr) {
  context.start(name);
  try {
    static_cast<void>(std::invoke(std::move(f)));
  } catch (...) {
    destroy();
    context.end(outcome::failed);
    return context.core.report_job_error(std::current_exception());
  }
  destroy();
  context.end_without_handler(outcome::completed);
}

/// A callable in the queue cell itself.
template <class F>
class posted_inline {
 public:
  template <class G>
  explicit posted_inline(G&& f) noexcept(std::is_nothrow_constructible_v<F, G>)
      : f_(std::forward<G>(f)) {}

  static void run(void* storage, job_context& context) {
    auto* const self = std::launder(static_cast<posted_inline*>(storage));
    run_posted(
        self->f_, [self] { self->~posted_inline(); }, context);
  }
  static bool discard(void* storage, job_ending const& ending) {
    std::launder(static_cast<posted_inline*>(storage))->~posted_inline();
    ending.count();
    return true;
  }

 private:
  F f_;
};

/// A callable that is too large for a cell, or that may throw when it is moved.
template <class F>
class posted_boxed {
 public:
  explicit posted_boxed(F* f) noexcept : f_(f) {}

  static void run(void* storage, job_context& context) {
    auto* const f = std::launder(static_cast<posted_boxed*>(storage))->f_;
    run_posted(
        *f, [f] { destroy_boxed(f, std::allocator<F>{}); }, context);
  }
  static bool discard(void* storage, job_ending const& ending) {
    destroy_boxed(std::launder(static_cast<posted_boxed*>(storage))->f_, std::allocator<F>{});
    ending.count();
    return true;
  }

 private:
  F* f_;
};

/// The job could not be constructed, and was never admitted.
inline void give_up(pool_core& core, admission_claim const& claim, std::uint64_t index) {
  core.leave_empty(claim, index);
  core.end_elsewhere(outcome::voided, claim.lane, false);
}

/// Whether putting `G` into a cell as an `F` may throw, so that a position which was given out for
/// it may have to be given up again.
template <class F, class G>
inline constexpr bool may_be_given_up =
    !fits_inline<posted_inline<F>> || !std::is_nothrow_constructible_v<F, G>;

/// Keeps snapshots from taking such positions for jobs before they are.
struct nothing_unsettled {
  nothing_unsettled(permit_count&, unsigned, std::uint64_t = 1) noexcept {}
};
template <class F, class G>
using unsettled_if_it_may_throw =
    std::conditional_t<may_be_given_up<F, G>, permit_count::unsettled, nothing_unsettled>;

/// Fills the claimed cell by copying or moving `f`. If that throws, the position is given up.
template <class F, class G>
void fill(pool_core& core, admission_claim const& claim, std::uint64_t index, G&& f) {
  auto& queue = core.lanes()[claim.lane];
  inline_job& cell = queue.open(claim, index);
  if constexpr (!may_be_given_up<F, G>) {
    cell.emplace<posted_inline<F>>(std::forward<G>(f));
    core.publish(claim, index);
  } else {
    try {
      if constexpr (fits_inline<posted_inline<F>>) {
        cell.emplace<posted_inline<F>>(std::forward<G>(f));
      } else {
        cell.emplace<posted_boxed<F>>(make_boxed<F>(std::allocator<F>{}, std::forward<G>(f)));
      }
    } catch (...) {
      give_up(core, claim, index);
      throw;
    }
    core.publish(claim, index);
  }
}

/// Runs `f` in the thread that wanted to post it, outside of the bound. It may destroy the pool.
template <class F>
error_code run_in_caller(pool_core& core, F&& f) {
  auto const keep = core.shared_from_this();
  std::decay_t<F> own(std::forward<F>(f));
  core.count_caller_ran();
  try {
    static_cast<void>(std::invoke(std::move(own)));
  } catch (...) {
    core.report_job_error(std::current_exception());
  }
  return {};
}

/// On terms.
template <class F>
error_code post(pool_core& core, F&& f, submit_terms const& terms) {
  [[maybe_unused]] unsettled_if_it_may_throw<std::decay_t<F>, F> const until_filled(
      core.permits(), terms.options.lane);
  auto const claim = core.admit(terms);
  if (claim.answer != verdict::admitted) [[unlikely]] {
    if (terms.runs_in_caller(claim.answer)) return run_in_caller(core, std::forward<F>(f));
    return core.refuse(claim.answer);
  }
  fill<std::decay_t<F>>(core, claim, 0, std::forward<F>(f));
  core.wake_if_needed();
  return {};
}

/// Without: nothing is made here that a refusal, which takes but a few nanoseconds, had to wait for.
template <class F>
error_code post(pool_core& core, F&& f) {
  using job = posted_inline<std::decay_t<F>>;
  if constexpr (!may_be_given_up<std::decay_t<F>, F>) {
    auto const position = core.admit_plainly();
    if (position < job_queue::full) [[likely]] {
      core.lanes()[0].open_plain(position).template emplace<job>(std::forward<F>(f));
      core.publish_plain(position);
      core.wake_if_needed();
      return {};
    }
    if (position == job_queue::full) return core.refuse(verdict::queue_full);
  }
  [[maybe_unused]] unsettled_if_it_may_throw<std::decay_t<F>, F> const until_filled(core.permits(),
                                                                                    0);
  auto const claim = core.admit(0U);
  if (claim.answer != verdict::admitted) [[unlikely]]
    return core.refuse(claim.answer);
  fill<std::decay_t<F>>(core, claim, 0, std::forward<F>(f));
  core.wake_if_needed();
  return {};
}

/// An iterator whose range can be counted first and read then. `std::move_iterator` is one by its
/// category only, and an iterator of a view that makes its elements by its concept only.
template <class It>
concept multi_pass_iterator =
    std::forward_iterator<It> ||
    std::derived_from<typename std::iterator_traits<It>::iterator_category,
                      std::forward_iterator_tag>;

template <class It>
std::uint64_t count_of(It first, It last) {
  if constexpr (std::forward_iterator<It>) {
    return static_cast<std::uint64_t>(std::ranges::distance(first, last));
  } else {
    return static_cast<std::uint64_t>(std::distance(first, last));
  }
}

/// How an element of a range is given to the pool: as the iterator yields it (so an lvalue is
/// copied), but a move-only lvalue is moved.
template <class It>
decltype(auto) element(It it) {
  using reference = std::iter_reference_t<It>;
  using F = std::decay_t<reference>;
  if constexpr (std::is_constructible_v<F, reference>) {
    return static_cast<reference>(*it);
  } else {
    return std::move(*it);
  }
}

template <class It>
std::size_t post_bulk(pool_core& core, It first, It last) {
  using F = std::decay_t<std::iter_reference_t<It>>;
  auto left = count_of(first, last);
  std::size_t admitted = 0;
  permit_count::unsettled const until_filled(core.permits(), 0, left);
  while (left != 0) {
    auto const claim = core.admit(0, left);
    if (claim.answer != verdict::admitted) {
      core.refuse(claim.answer);
      break;
    }
    for (std::uint64_t i = 0; i != claim.count; ++i) {
      auto unfilled = i;
      try {
        decltype(auto) job = element(first);  // the iterator is the user's, and may throw too
        unfilled = i + 1;                     // fill() gives up its own position
        fill<F>(core, claim, i, std::forward<decltype(job)>(job));
        ++first;
      } catch (...) {
        for (; unfilled != claim.count; ++unfilled) give_up(core, claim, unfilled);
        core.wake_if_needed();  // for those that were filled
        throw;
      }
    }
    core.wake_if_needed();
    admitted += claim.count;
    left -= claim.count;
  }
  return admitted;
}

}  // namespace brigade::detail
