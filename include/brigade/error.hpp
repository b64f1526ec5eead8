// brigade: the verdicts and errors of the library.
//
//   if (auto verdict = pool.try_post(work); verdict == brigade::errc::queue_full) { ... }
//   pool.async_submit(work, [](std::exception_ptr failure, int result) {
//     if (brigade::to_error_code(failure) == brigade::errc::closed) { ... }
//   });
//
// Thread safety: every function here may be called from any thread.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <exception>
#include <type_traits>

namespace brigade {

using boost::system::error_code;

/// Why a job was refused, or how an admitted job ended other than by its own result.
///
/// A cancelled job is told by `asio::error::operation_aborted`, as every Asio operation is.
enum class errc {
  queue_full = 1,  ///< No slot: as many jobs as the capacity allows are in flight.
  closed,          ///< Admission has ended: the pool is draining or stopped.
  expired,         ///< The job was not started by its deadline.
  shed,            ///< A newer job took the slot, or it had been queued for too long.
  job_failed,      ///< The job threw; what it threw is in the exception_ptr.
};

/// The category of `errc`; its name is "brigade".
///
/// Each value maps to the nearest generic condition: `queue_full` to
/// `resource_unavailable_try_again`, `closed` to `operation_not_permitted`, `expired` to
/// `timed_out`, `shed` to `operation_canceled`, `job_failed` to `state_not_recoverable`.
boost::system::error_category const& brigade_category() noexcept;

/// Makes an error code of `brigade_category()`.
error_code make_error_code(errc value) noexcept;

/// The error code behind the exception that a completion handler was given.
///
/// Returns: `{}` for null; for the library's own verdicts (`errc`, and `operation_aborted` of a
/// cancelled job) that very code; for a job's own `boost::system::system_error` or
/// `std::system_error` the code that it carries; for any other exception `errc::job_failed`.
/// Cost: a few pointer comparisons for the library's own verdicts, a rethrow for all others.
error_code to_error_code(std::exception_ptr const& failure) noexcept;

namespace detail {

/// The `system_error` for one of the library's own verdicts, made once per process: handing it
/// out neither throws nor allocates.
std::exception_ptr verdict_exception(error_code const& verdict) noexcept;

}  // namespace detail
}  // namespace brigade

template <>
struct boost::system::is_error_code_enum<brigade::errc> : std::true_type {};
