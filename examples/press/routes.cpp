// SPDX-License-Identifier: BSL-1.0
#include "routes.hpp"

#include <fmt/format.h>

#include <boost/beast/core/string.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/scheme.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <string>

#include "compress.hpp"
#include "preferences.hpp"

namespace press {
namespace {

namespace beast = boost::beast;
namespace urls = boost::urls;

bool is_continue(std::string_view expectation) {
  return beast::iequals(expectation, "100-continue");
}

bool is_http(urls::scheme scheme) {
  return scheme == urls::scheme::http || scheme == urls::scheme::https;
}

/// The value of `?level=`, in `level` if it is there and good.
std::optional<problem> read_level(urls::url_view const& url, int& level) {
  bool seen = false;
  for (auto const& parameter : url.params()) {
    if (parameter.key != "level") continue;
    if (seen) return repeated_level();
    seen = true;
    auto const& text = parameter.value;
    auto const* const end = text.data() + text.size();
    auto const [stop, failure] = std::from_chars(text.data(), end, level);
    if (failure != std::errc{} || stop != end || level < lowest_level || level > highest_level) {
      return bad_level(text);
    }
  }
  return {};
}

/// The value of `?priority=`, in `urgency` if it is there and good.
std::optional<problem> read_priority(urls::url_view const& url, priority& urgency) {
  bool seen = false;
  for (auto const& parameter : url.params()) {
    if (parameter.key != "priority") continue;
    if (seen) return repeated_priority();
    seen = true;
    if (parameter.value != "normal" && parameter.value != "low") {
      return bad_priority(parameter.value);
    }
    urgency = parameter.value == "low" ? priority::low : priority::normal;
  }
  return {};
}

/// What HTTP itself asks of a header, whatever the path.
std::optional<problem> check_header(http::request_header<> const& header) {
  if (header.version() >= 11 && header.count(http::field::host) != 1) return bad_host();
  auto const coding = header[http::field::transfer_encoding];
  if (header.count(http::field::transfer_encoding) != 0 && !beast::iequals(coding, "chunked")) {
    return bad_transfer_coding(coding);
  }
  if (header.version() >= 11) {
    auto const [first, last] = header.equal_range(http::field::expect);
    for (auto field = first; field != last; ++field) {
      if (!is_continue(field->value())) return unknown_expectation(field->value());
    }
  }
  return {};
}

route find_page(http::request_header<> const& header, std::string const& path, page wanted) {
  if (header.method() == http::verb::get || header.method() == http::verb::head) return wanted;
  return wrong_method(header.method_string(), path, "GET, HEAD");
}

route find_compress(http::request_header<> const& header, urls::url_view const& url,
                    std::optional<std::uint64_t> announced, std::size_t max_body,
                    std::chrono::seconds max_wait) {
  if (header.method() != http::verb::post) {
    return wrong_method(header.method_string(), "/compress", "POST");
  }
  compress_call call{.level = default_level, .wait = find_wait(header, max_wait)};
  if (auto const refusal = read_level(url, call.level)) return *refusal;
  if (auto const refusal = read_priority(url, call.urgency)) return *refusal;
  if (announced && *announced > max_body) {
    return body_too_large(fmt::to_string(*announced), max_body);
  }
  return call;
}

}  // namespace

bool waits_for_continue(http::request_header<> const& header) {
  return header.version() >= 11 && is_continue(header[http::field::expect]);
}

route find_route(http::request_header<> const& header, std::optional<std::uint64_t> announced,
                 std::size_t max_body, std::chrono::seconds max_wait) {
  if (auto const refusal = check_header(header)) return *refusal;
  auto url = urls::parse_origin_form(header.target());
  if (!url) {
    url = urls::parse_absolute_uri(header.target());  // "GET http://host/path", as to a proxy
    if (!url || !is_http(url->scheme_id())) return bad_target(header.target());
  }
  auto const path = url->path();
  if (path == "/compress") return find_compress(header, *url, announced, max_body, max_wait);
  if (path == "/healthz") return find_page(header, path, page::healthz);
  if (path == "/readyz") return find_page(header, path, page::readyz);
  if (path == "/metrics") return find_page(header, path, page::metrics);
  return not_found(path);
}

}  // namespace press
