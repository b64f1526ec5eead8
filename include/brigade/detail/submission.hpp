// async_submit of a function that nobody can end early: no cancellation slot, stop token, deadline
// or name. The fast case: in the queue cell itself where it fits, else one block from the handler's
// allocator.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include <brigade/detail/boxed.hpp>
#include <brigade/detail/completion.hpp>
#include <brigade/detail/inline_job.hpp>
#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/job_frame.hpp>
#include <brigade/detail/job_queue.hpp>
#include <brigade/detail/job_result.hpp>
#include <brigade/detail/job_shape.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/submit_terms.hpp>

namespace brigade::detail {

template <class Handler, class F>
struct submission {
  using result = typename job_shape<F>::result;

  template <class G>
  submission(addressed_handler<Handler>&& handler,
             G&& g) noexcept(std::is_nothrow_move_constructible_v<addressed_handler<Handler>>&&
                                 std::is_nothrow_constructible_v<F, G>)
      : to(std::move(handler)), job(std::forward<G>(g)) {}

  addressed_handler<Handler> to;
  F job;

  /// Runs the job, destroys everything with `destroy`, frees the slot, and then tells.
  template <class Destroy>
  void run(Destroy destroy, job_context& context) {
    context.start();
    job_result<result> outcome_of_job;
    outcome_of_job.of([this]() -> result { return std::invoke(std::move(job)); });
    auto told = std::move(to);
    destroy();
    context.end(outcome_of_job.failure ? outcome::failed : outcome::completed);
    tell_here(context.core, std::move(told), std::move(outcome_of_job));
  }

  template <class Destroy>
  void discard(Destroy destroy, job_ending const& ending) {
    auto& core = *ending.core;
    auto told = std::move(to);
    destroy();
    // Held until the completion is posted: the count below may be what the pool's end waits for.
    auto const ticket = core.owns_threads() ? core.gate().enter() : delivery_gate::ticket{};
    ending.count();
    tell_later(core, std::move(told), failed_with<result>(verdict_exception(ending.why)));
  }

  /// Was never admitted.
  template <class Destroy>
  void refuse(Destroy destroy, pool_core& core, error_code const& why) {
    auto told = std::move(to);
    destroy();
    tell_later(core, std::move(told), failed_with<result>(verdict_exception(why)));
  }

  /// Runs in the thread that wanted to submit it, outside of the bound. It may destroy the pool.
  template <class Destroy>
  void run_in_caller(Destroy destroy, pool_core& core) {
    auto const keep = core.shared_from_this();
    job_result<result> outcome_of_job;
    outcome_of_job.of([this]() -> result { return std::invoke(std::move(job)); });
    auto told = std::move(to);
    destroy();
    core.count_caller_ran();
    tell_later(core, std::move(told), std::move(outcome_of_job));
  }
};

template <class Handler, class F>
struct inline_submission : submission<Handler, F> {
  using submission<Handler, F>::submission;

  static void run(void* storage, job_context& context) {
    auto* const self = std::launder(static_cast<inline_submission*>(storage));
    self->submission<Handler, F>::run([self] { self->~inline_submission(); }, context);
  }
  static bool discard(void* storage, job_ending const& ending) {
    auto* const self = std::launder(static_cast<inline_submission*>(storage));
    self->submission<Handler, F>::discard([self] { self->~inline_submission(); }, ending);
    return true;
  }
};

template <class Handler, class F>
struct boxed_submission {
  explicit boxed_submission(submission<Handler, F>* b) noexcept : box(b) {}
  submission<Handler, F>* box;

  static auto freeing(submission<Handler, F>* box) {
    return [box, allocator = allocator_of(box->to.handler)] { destroy_boxed(box, allocator); };
  }
  static void run(void* storage, job_context& context) {
    auto* const box = std::launder(static_cast<boxed_submission*>(storage))->box;
    box->run(freeing(box), context);
  }
  static bool discard(void* storage, job_ending const& ending) {
    auto* const box = std::launder(static_cast<boxed_submission*>(storage))->box;
    box->discard(freeing(box), ending);
    return true;
  }
};

/// Tells a handler that its job was not admitted.
template <class R, class Handler>
void refuse_later(pool_core& core, addressed_handler<Handler>&& to, verdict why) {
  tell_later(core, std::move(to), failed_with<R>(verdict_exception(core.refuse(why))));
}

/// Queues what `fill(inline_job&)`, which must not throw, puts into the cell, where the terms are plain
/// and a slot is all that it takes. False: admit() knows more.
template <class Fill>
bool put_if_plain(pool_core& core, submit_terms const& terms, Fill fill) {
  if (!terms.are_plain()) return false;
  auto const position = core.admit_plainly();
  if (position >= job_queue::full) [[unlikely]]
    return false;
  fill(core.lanes()[0].open_plain(position));
  core.publish_plain(position);
  core.wake_if_needed();
  return true;
}

/// All that may throw (the handler's executor is the user's code) comes before admission: it takes
/// no slot with it.
template <class Handler, class G>
void submit_function(pool_core& core, Handler&& handler, G&& job, submit_terms const& terms) {
  using F = std::decay_t<G>;
  using R = typename job_shape<F>::result;
  using in_cell = inline_submission<Handler, F>;
  addressed_handler<Handler> to(core, std::move(handler));
  if constexpr (fits_inline<in_cell> &&
                std::is_nothrow_constructible_v<in_cell, addressed_handler<Handler>, G>) {
    auto const fill = [&](inline_job& cell) {
      cell.emplace<in_cell>(std::move(to), std::forward<G>(job));
    };
    if (put_if_plain(core, terms, fill)) return;
    auto const claim = core.admit(terms);
    if (claim.answer != verdict::admitted) [[unlikely]] {
      if (!terms.runs_in_caller(claim.answer)) {
        return refuse_later<R>(core, std::move(to), claim.answer);
      }
      submission<Handler, F> here(std::move(to), std::forward<G>(job));
      return here.run_in_caller([] {}, core);
    }
    fill(core.lanes()[claim.lane].open(claim));
    core.publish(claim);
  } else {
    if (auto const answer = core.probe(terms); answer != verdict::admitted) {
      return refuse_later<R>(core, std::move(to), answer);
    }
    auto const allocator = allocator_of(to.handler);
    auto* const box =
        make_boxed<submission<Handler, F>>(allocator, std::move(to), std::forward<G>(job));
    auto const fill = [box](inline_job& cell) { cell.emplace<boxed_submission<Handler, F>>(box); };
    if (put_if_plain(core, terms, fill)) return;
    auto const claim = core.admit(terms);
    if (claim.answer != verdict::admitted) {
      auto const free = boxed_submission<Handler, F>::freeing(box);
      if (terms.runs_in_caller(claim.answer)) return box->run_in_caller(free, core);
      return box->refuse(free, core, core.refuse(claim.answer));
    }
    fill(core.lanes()[claim.lane].open(claim));
    core.publish(claim);
  }
  core.wake_if_needed();
}

}  // namespace brigade::detail
