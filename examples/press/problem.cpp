// SPDX-License-Identifier: BSL-1.0
#include "problem.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "compress.hpp"

namespace press {

namespace {

using std::chrono::seconds;

constexpr seconds next_one{5};  // until a service that ends has been followed by another

problem try_later(std::string_view kind, std::string_view title, std::string detail,
                  seconds retry_after) {
  return {.status = 503,
          .kind = kind,
          .title = title,
          .detail = std::move(detail),
          .extra_field = http::field::retry_after,
          .extra_value = fmt::to_string(retry_after.count())};
}

}  // namespace

problem not_found(std::string_view path) {
  return {
      .status = 404,
      .kind = "not-found",
      .title = "There is nothing here",
      .detail = fmt::format(
          "{} is not a path of this service. POST a body to /compress, or GET /healthz, /readyz "
          "or /metrics.",
          quoted(path))};
}

problem wrong_method(std::string_view method, std::string_view path, std::string_view allowed) {
  return {.status = 405,
          .kind = "wrong-method",
          .title = "The method does not fit the path",
          .detail = fmt::format("{} does not take {}. Use {}.", path, quoted(method), allowed),
          .extra_field = http::field::allow,
          .extra_value = std::string{allowed}};
}

problem bad_target(std::string_view target) {
  return {.status = 400,
          .kind = "bad-target",
          .title = "The request target is not a URL",
          .detail = fmt::format(
              "{} is not a valid request target. Percent-encode what a URL may not contain.",
              quoted(target))};
}

problem bad_level(std::string_view level) {
  return {.status = 400,
          .kind = "bad-level",
          .title = "There is no such compression level",
          .detail = fmt::format(
              "level={} is not a whole number from {} to {}. Leave it out for level {}.",
              quoted(level), lowest_level, highest_level, default_level)};
}

problem repeated_level() {
  return {.status = 400,
          .kind = "bad-level",
          .title = "There is no such compression level",
          .detail = "level is given more than once. Give it once."};
}

problem bad_priority(std::string_view priority) {
  return {.status = 400,
          .kind = "bad-priority",
          .title = "There is no such priority",
          .detail = fmt::format("priority={} is neither normal nor low. Leave it out for normal.",
                                quoted(priority))};
}

problem repeated_priority() {
  return {.status = 400,
          .kind = "bad-priority",
          .title = "There is no such priority",
          .detail = "priority is given more than once. Give it once."};
}

problem bad_host() {
  return {.status = 400,
          .kind = "bad-host",
          .title = "The request does not name its host",
          .detail = "An HTTP/1.1 request has exactly one Host field. Send one."};
}

problem bad_transfer_coding(std::string_view coding) {
  return {.status = 501,
          .kind = "bad-transfer-coding",
          .title = "The transfer coding is not supported",
          .detail = fmt::format("Transfer-Encoding {} is not known here. Send \"chunked\" or a "
                                "Content-Length.",
                                quoted(coding))};
}

problem unknown_expectation(std::string_view expectation) {
  return {
      .status = 417,
      .kind = "unknown-expectation",
      .title = "The expectation cannot be met",
      .detail = fmt::format("Expect {} is not known here. Send \"100-continue\" or leave it out.",
                            quoted(expectation))};
}

problem malformed(std::string_view beginning, std::string_view what) {
  return {
      .status = 400,
      .kind = "malformed-request",
      .title = "This is not HTTP/1.1",
      .detail = fmt::format("What begins with {} is not a request: {}. Send it as RFC 9112 has it.",
                            quoted(beginning), what)};
}

problem incomplete_body() {
  return {.status = 400,
          .kind = "incomplete-body",
          .title = "The body is not complete",
          .detail =
              "The connection was closed for sending before the announced body had arrived. "
              "Send all of it."};
}

problem header_too_large(std::size_t limit) {
  return {.status = 431,
          .kind = "header-too-large",
          .title = "The header is too large",
          .detail =
              fmt::format("Request line and header fields may have {} bytes. Send fewer.", limit)};
}

problem body_too_large(std::string_view announced, std::size_t limit) {
  return {.status = 413,
          .kind = "body-too-large",
          .title = "The body is too large",
          .detail = fmt::format("The body has {} bytes and may have {}. Send it in parts, or start "
                                "the service with a larger --max-body.",
                                announced, limit)};
}

problem too_slow() {
  return {.status = 408,
          .kind = "too-slow",
          .title = "The request took too long to arrive",
          .detail = "Nothing more of the request arrived in time. Send it again, without pauses."};
}

problem queue_full(std::size_t capacity, seconds retry_after) {
  return try_later(
      "queue-full", "All places are taken",
      fmt::format("As many bodies as may be in work at once ({}) are in work. Try again "
                  "after the seconds in Retry-After, or wait for a place with "
                  "\"Prefer: wait=SECONDS\".",
                  capacity),
      retry_after);
}

problem memory_full(seconds retry_after) {
  return try_later("memory-full", "There is no memory for the body",
                   "Bodies and answers that are on their way take all that --max-memory allows. "
                   "Try again after the seconds in Retry-After.",
                   retry_after);
}

problem waited_in_vain(seconds wait, seconds retry_after) {
  return try_later("waited-in-vain", "The wait was too short",
                   fmt::format("This body was not begun with within wait={} seconds, as its Prefer "
                               "field asked. It was not compressed. Try again after the seconds in "
                               "Retry-After, or wait longer.",
                               wait.count()),
                   retry_after);
}

problem service_ending() {
  return try_later("service-ending", "The service is ending",
                   "No new work is taken on. Try again after the seconds in Retry-After.",
                   next_one);
}

problem given_up() {
  return try_later("given-up", "The service is ending",
                   "This body was waiting for its turn, or in work, when the service had no more "
                   "time. It was not compressed. Try again after the seconds in Retry-After.",
                   next_one);
}

problem client_gone() {
  return {.status = client_closed_request,
          .kind = "client-gone",
          .title = "The client went away",
          .detail =
              "The connection was closed for sending while the body was waiting or in work, "
              "which cancels it. Keep the connection open until the answer has come."};
}

problem compression_failed(std::string_view why) {
  return {.status = 500,
          .kind = "compression-failed",
          .title = "The body could not be compressed",
          .detail = fmt::format("zstd says: {}. Try again, or with a lower level.", why)};
}

answer make_answer(http::status status, std::string_view content_type, std::string body) {
  answer result;
  result.result(status);
  result.set(http::field::content_type, content_type);
  result.body() = std::move(body);
  return result;
}

answer make_answer(problem const& refusal) {
  auto const text = boost::json::serialize(boost::json::object{
      {"type", fmt::format("urn:press:problem:{}", refusal.kind)},
      {"title", refusal.title},
      {"status", refusal.status},
      {"detail", refusal.detail},
  });
  auto result = make_answer(http::status::internal_server_error, "application/problem+json",
                            std::string{text} + '\n');
  result.result(refusal.status);
  if (refusal.status == client_closed_request) result.reason("Client Closed Request");
  if (refusal.extra_field != http::field::unknown) {
    result.set(refusal.extra_field, refusal.extra_value);
  }
  return result;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t most = 80;
  std::string result{'"'};
  for (char const each : text.substr(0, most)) {
    auto const byte = static_cast<unsigned char>(each);
    if (byte >= 0x20 && byte < 0x7f) {
      result.push_back(each);
    } else {
      fmt::format_to(std::back_inserter(result), "\\x{:02x}", byte);
    }
  }
  result += text.size() > most ? "...\"" : "\"";
  return result;
}

}  // namespace press
