// press: what a client prefers about its answer (the Prefer header field, RFC 7240).
//
// Thread safety: pure functions.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace press {

/// The value of the first preference called `name`, over all Prefer fields; empty where it has
/// none. No value: nobody asked, or the field is not one that RFC 7240 knows, which a server
/// ignores. Quotes are taken off.
std::optional<std::string> find_preference(boost::beast::http::request_header<> const& header,
                                           std::string_view name);

/// How long the client waits for its answer (`wait=SECONDS`), up to `most`. No value: it does not
/// say, or not in whole seconds, or it would not wait at all.
std::optional<std::chrono::seconds> find_wait(boost::beast::http::request_header<> const& header,
                                              std::chrono::seconds most);

}  // namespace press
