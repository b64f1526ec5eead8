// press: from the header of a request to what it asks for, or to the reason why not.
//
// Thread safety: pure functions.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <cstdint>
#include <optional>
#include <variant>

#include "problem.hpp"

namespace press {

struct compress_call {
  int level;
};
enum class page { healthz, readyz, metrics };

/// What a request asks for.
using route = std::variant<compress_call, page, problem>;

/// Whether the client sends its body only once it is told to.
bool waits_for_continue(http::request_header<> const& header);

/// What can be said from the header alone, with the body still to come. `announced` is its
/// Content-Length.
route find_route(http::request_header<> const& header, std::optional<std::uint64_t> announced,
                 std::size_t max_body);

}  // namespace press
