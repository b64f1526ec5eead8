// press: answers, and the refusals among them as application/problem+json (RFC 9457).
//
//   auto answer = make_answer(http::status::ok, "text/plain", "ok\n");
//   auto answer = make_answer(not_found("/compres"));
//
// Thread safety: plain data and pure functions.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace press {

namespace http = boost::beast::http;

using answer = http::response<http::string_body>;

/// The status for a client that went away before its answer: nobody reads it, the metrics count it.
inline constexpr unsigned client_closed_request = 499;

/// Why a request was refused, and what its sender can do about it.
struct problem {
  unsigned status = 500;
  std::string_view kind;   ///< what the `type` member ends in; stable, for programs
  std::string_view title;  ///< the same for every problem of a kind
  std::string detail;      ///< about this request: the offending value, and what to do
  http::field extra_field = http::field::unknown;  ///< a header field that belongs to the answer
  std::string extra_value{};
};

problem not_found(std::string_view path);
problem wrong_method(std::string_view method, std::string_view path, std::string_view allowed);
problem bad_target(std::string_view target);
problem bad_level(std::string_view level);
problem repeated_level();
problem bad_priority(std::string_view priority);
problem repeated_priority();
problem bad_host();
problem bad_transfer_coding(std::string_view coding);
problem unknown_expectation(std::string_view expectation);
problem malformed(std::string_view beginning, std::string_view what);
problem incomplete_body();
problem header_too_large(std::size_t limit);
problem body_too_large(std::string_view announced, std::size_t limit);
problem too_slow();
problem queue_full(std::size_t capacity, std::chrono::seconds retry_after);
problem memory_full(std::chrono::seconds retry_after);
problem waited_in_vain(std::chrono::seconds wait, std::chrono::seconds retry_after);
problem service_ending();
problem given_up();
problem client_gone();
problem compression_failed(std::string_view why);

answer make_answer(http::status status, std::string_view content_type, std::string body);
answer make_answer(problem const& refusal);

/// `text` in quotes, fit for a problem's detail: printable ASCII, the rest as \xNN, cut when long.
std::string quoted(std::string_view text);

}  // namespace press
