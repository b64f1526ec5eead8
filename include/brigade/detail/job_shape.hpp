// What kinds of callable async_submit takes, and what they give.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <concepts>
#include <exception>
#include <functional>
#include <stop_token>
#include <type_traits>

namespace brigade::detail {

template <class R>
struct result_shape {
  using type = R;
  static constexpr bool is_coroutine = false;
};

template <class R>
struct result_shape<boost::asio::awaitable<R, boost::asio::any_io_executor>> {
  using type = R;
  static constexpr bool is_coroutine = true;
};

/// A coroutine, of whichever executor type.
template <class R>
inline constexpr bool is_awaitable = false;
template <class R, class Executor>
inline constexpr bool is_awaitable<boost::asio::awaitable<R, Executor>> = true;

template <class F>
concept plain_callable = std::invocable<F>;

template <class F>
concept stoppable_callable = !std::invocable<F> && std::invocable<F, std::stop_token>;

template <class F>
struct returned_by;
template <plain_callable F>
struct returned_by<F> {
  using type = std::invoke_result_t<F>;
};
template <stoppable_callable F>
struct returned_by<F> {
  using type = std::invoke_result_t<F, std::stop_token>;
};

template <class R>
inline constexpr bool is_deliverable =
    std::is_void_v<R> ||
    (std::is_object_v<R> && std::default_initializable<R> && std::move_constructible<R>);

template <class R>
struct completion_of {
  using type = void(std::exception_ptr, R);
};
template <>
struct completion_of<void> {
  using type = void(std::exception_ptr);
};

/// Stands in where the callable or its result will not do, so that the one static_assert is all
/// that the compiler has to say.
struct no_shape {
  static constexpr bool takes_stop_token = false;
  static constexpr bool is_coroutine = false;
  using result = void;
  using signature = void(std::exception_ptr);
};

template <class R, bool TakesStopToken, bool IsCoroutine>
struct good_shape {
  static constexpr bool takes_stop_token = TakesStopToken;
  static constexpr bool is_coroutine = IsCoroutine;
  using result = R;
  using signature = typename completion_of<R>::type;
};

template <class F>
constexpr auto find_shape() {
  if constexpr (!plain_callable<F> && !stoppable_callable<F>) {
    static_assert(plain_callable<F> || stoppable_callable<F>,
                  "brigade: a job is called as R(), R(std::stop_token), asio::awaitable<R>() or "
                  "asio::awaitable<R>(std::stop_token), as an rvalue; this callable takes neither "
                  "no argument nor a std::stop_token");
    return no_shape{};
  } else {
    using returned = result_shape<std::remove_cv_t<typename returned_by<F>::type>>;
    using R = typename returned::type;
    if constexpr (is_awaitable<R>) {
      static_assert(!is_awaitable<R>,
                    "brigade: a coroutine job is an asio::awaitable<R> with the default executor "
                    "type, any_io_executor, and R is no awaitable itself; this one would never be "
                    "run");
      return no_shape{};
    } else if constexpr (!is_deliverable<R>) {
      static_assert(is_deliverable<R>,
                    "brigade: a job's result must be void, or default-constructible and movable "
                    "(and no reference): the completion signature is void(std::exception_ptr, R), "
                    "and R is needed when the job fails, too. Return std::optional<R> or a pointer "
                    "instead");
      return no_shape{};
    } else {
      return good_shape<R, stoppable_callable<F>, returned::is_coroutine>{};
    }
  }
}

/// The shape of a decayed callable: `result`, `signature`, `takes_stop_token`, `is_coroutine`.
template <class F>
using job_shape = decltype(find_shape<F>());

/// Whether F may be given to try_post: called as `f()`, its result thrown away.
template <class F>
constexpr bool check_postable() {
  static_assert(std::invocable<F>,
                "brigade: try_post takes a callable that is called as f() on an rvalue; for a job "
                "that takes a std::stop_token, and for coroutines, use async_submit");
  if constexpr (std::invocable<F>) {
    static_assert(!is_awaitable<std::remove_cvref_t<std::invoke_result_t<F>>>,
                  "brigade: try_post would throw the coroutine away without running it; use "
                  "async_submit(job, asio::detached)");
  }
  return true;
}

}  // namespace brigade::detail
