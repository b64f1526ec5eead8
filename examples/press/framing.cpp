// SPDX-License-Identifier: BSL-1.0
#include "framing.hpp"

#include <fmt/format.h>

#include <boost/beast/http/error.hpp>

#include "limits.hpp"
#include "routes.hpp"

namespace press {
namespace {

std::string_view first_line(boost::beast::flat_buffer const& buffer) {
  auto const data = buffer.cdata();
  auto const text = std::string_view{static_cast<char const*>(data.data()), data.size()};
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

void set_limits(request_parser& request) {
  request.header_limit(header_limit);
  request.body_limit(boost::none);  // the announced length is checked by find_route()
}

bool can_stay_in_step(request_parser const& request) {
  auto const& header = request.get();
  // RFC 9112, 6.1: what HTTP/1.0 has put between is not to be trusted with a transfer coding.
  bool const coded = header.count(http::field::transfer_encoding) != 0;
  if (coded && (!request.chunked() || header.version() < 11)) return false;
  if (request.is_done()) return true;
  auto const announced = request.content_length();
  return announced && *announced <= skip_limit && !waits_for_continue(header);
}

std::optional<problem> explain_parse_error(boost::system::error_code failure, request_part part,
                                           boost::beast::flat_buffer const& rest,
                                           std::size_t max_body) {
  if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
    return header_too_large(header_limit);
  }
  if (failure == http::error::body_limit) {
    return body_too_large(fmt::format("more than {}", max_body), max_body);
  }
  if (failure == http::error::partial_message) {
    return part == request_part::body ? incomplete_body()
                                      : malformed(first_line(rest), "it ends too soon");
  }
  if (failure == http::error::end_of_stream ||
      failure.category() != make_error_code(http::error::end_of_stream).category()) {
    return {};
  }
  return malformed(first_line(rest), failure.message());
}

}  // namespace press
