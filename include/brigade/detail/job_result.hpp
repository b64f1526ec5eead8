// What a job gave: its result, or what it threw.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <brigade/detail/completion.hpp>

namespace brigade::detail {

/// Runs a callable and keeps what came of it; `R` is default-constructed where a failed job's
/// handler needs one.
template <class R>
class job_result {
 public:
  template <class Run>
  void of(Run&& run) noexcept {
    try {
      if constexpr (std::is_void_v<R>) {
        std::forward<Run>(run)();
      } else {
        value_.emplace(std::forward<Run>(run)());
      }
    } catch (...) {
      failure = std::current_exception();
    }
  }

  void set_value(R&& value) { value_.emplace(std::move(value)); }

  /// Gives everything to `tell(exception_ptr[, R])`.
  template <class Tell>
  void give_to(Tell&& tell) && {
    if (value_) {
      std::forward<Tell>(tell)(std::move(failure), std::move(*value_));
    } else {
      std::forward<Tell>(tell)(std::move(failure), R());
    }
  }

  std::exception_ptr failure;

 private:
  std::optional<R> value_;
};

template <>
class job_result<void> {
 public:
  template <class Run>
  void of(Run&& run) noexcept {
    try {
      std::forward<Run>(run)();
    } catch (...) {
      failure = std::current_exception();
    }
  }
  template <class Tell>
  void give_to(Tell&& tell) && {
    std::forward<Tell>(tell)(std::move(failure));
  }
  std::exception_ptr failure;
};

/// A result that is only an error.
template <class R>
job_result<R> failed_with(std::exception_ptr failure) {
  job_result<R> result;
  result.failure = std::move(failure);
  return result;
}

/// Tells the handler, on this thread or by its executor; see complete_here().
template <class R, class Handler>
void tell_here(pool_core& core, addressed_handler<Handler>&& to, job_result<R>&& result) {
  std::move(result).give_to([&](auto&&... args) {
    complete_here<Handler, std::decay_t<decltype(args)>...>(core, std::move(to),
                                                            std::move(args)...);
  });
}

/// Tells the handler, never inside this call; see complete_later().
template <class R, class Handler>
void tell_later(pool_core& core, addressed_handler<Handler>&& to, job_result<R>&& result) {
  std::move(result).give_to([&](auto&&... args) {
    complete_later<Handler, std::decay_t<decltype(args)>...>(core, std::move(to),
                                                             std::move(args)...);
  });
}

}  // namespace brigade::detail
