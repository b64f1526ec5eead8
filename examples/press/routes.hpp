// press: from the header of a request to what it asks for, or to the reason why not.
//
// Thread safety: pure functions.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include "problem.hpp"

namespace press {

/// Whose turn it is when there is more than the workers can do.
enum class priority : unsigned { normal, low };  // the numbers are the pool's lanes

struct compress_call {
  int level;
  priority urgency = priority::normal;
  /// How long the client waits for its answer; none: it does not say. From when its body is there.
  std::optional<std::chrono::seconds> wait{};
};
enum class page { healthz, readyz, metrics };

/// What a request asks for.
using route = std::variant<compress_call, page, problem>;

/// Whether the client sends its body only once it is told to.
bool waits_for_continue(http::request_header<> const& header);

/// What can be said from the header alone, with the body still to come. `announced` is its
/// Content-Length. A wait longer than `max_wait` is cut to that.
route find_route(http::request_header<> const& header, std::optional<std::uint64_t> announced,
                 std::size_t max_body, std::chrono::seconds max_wait);

}  // namespace press
