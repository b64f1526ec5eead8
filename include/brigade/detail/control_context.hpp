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

/// The control context's one thread is a strand: what is posted to it never runs at the same time.
/// Unlike `asio::strand`, a post takes one block of memory and not two, and one that fails changes
/// nothing; an `asio::strand` whose second block cannot be had runs no handler ever after.
using control_strand = boost::asio::io_context::executor_type;

}  // namespace brigade::detail
