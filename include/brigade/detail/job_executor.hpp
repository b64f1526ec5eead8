// The executor that a coroutine job runs on: the pool's, with every piece of work marked as part of
// a running job, so that the job may submit to its own pool while that drains.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <brigade/detail/job_frame.hpp>
#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

/// Forwards every property to `Inner`. Knows the core by its address only, to mark frames with it.
template <class Inner>
class job_executor {
 public:
  job_executor(pool_core const& core, Inner inner) noexcept
      : core_(&core), inner_(std::move(inner)) {}

  template <class Function>
  void execute(Function&& function) const {
    inner_.execute(
        [core = core_, f = std::decay_t<Function>(std::forward<Function>(function))]() mutable {
          job_frame frame(*core, true);
          std::move(f)();
        });
  }

  template <class Property>
    requires asio::can_query<Inner const&, Property>::value
  auto query(Property const& property) const
      noexcept(asio::is_nothrow_query<Inner const&, Property>::value) ->
      typename asio::query_result<Inner const&, Property>::type {
    return asio::query(inner_, property);
  }

  template <class Property>
    requires asio::can_require<Inner const&, Property>::value
  auto require(Property const& property) const {
    return rewrapped(asio::require(inner_, property));
  }

  template <class Property>
    requires asio::can_prefer<Inner const&, Property>::value
  auto prefer(Property const& property) const {
    return rewrapped(asio::prefer(inner_, property));
  }

  friend bool operator==(job_executor const& a, job_executor const& b) noexcept {
    return a.core_ == b.core_ && a.inner_ == b.inner_;
  }
  friend bool operator!=(job_executor const& a, job_executor const& b) noexcept {
    return !(a == b);
  }

 private:
  template <class Other>
  auto rewrapped(Other other) const {
    return job_executor<Other>(*core_, std::move(other));
  }

  pool_core const* core_;
  Inner inner_;
};

}  // namespace brigade::detail
