// The control io_context: one thread for the whole process, for what must not wait behind jobs.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/io_context.hpp>

namespace brigade::detail {

/// The control context, its thread started by the first call. It lives until the process ends and
/// serves every pool.
///
/// Throws: `std::system_error` if the thread cannot be started; the next call tries again.
boost::asio::io_context& control_context();

}  // namespace brigade::detail
