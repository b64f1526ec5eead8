// press: the limits within which a request is read, and what is said of one that cannot be.
//
// No sockets and no time: bytes in, words out. The fuzzer in test/fuzz drives this and routes.hpp.
//
// Thread safety: pure functions.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <optional>
#include <string_view>

#include "problem.hpp"

namespace press {

using request_parser = http::request_parser<http::string_body>;

/// For a parser that is new.
void set_limits(request_parser& request);

/// Whether it is clear where the next request begins, and cheap to get there. What is left of a
/// body is a refused one.
bool can_stay_in_step(request_parser const& request);

enum class request_part { header, body };

/// What to tell the sender of a request that could not be parsed; nothing where `failure` is not
/// the parser's. `rest`: what has been read and not been parsed.
std::optional<problem> explain_parse_error(boost::system::error_code failure, request_part part,
                                           boost::beast::flat_buffer const& rest,
                                           std::size_t max_body);

}  // namespace press
