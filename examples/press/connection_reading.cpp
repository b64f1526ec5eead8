// How a connection reads one request, and what it tells a client whose request cannot be read.
// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

#include "connection.hpp"
#include "limits.hpp"

namespace press {

using boost::system::error_code;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

asio::awaitable<std::optional<problem>> connection::read_header(parser& request) {
  activity_ = activity::reading_header;
  set_deadline(service_.settings.read_timeout);
  auto const read = co_await http::async_read_header(socket_, buffer_, request, use_tuple);
  if (!std::get<0>(read)) co_return std::nullopt;
  co_return explain(std::get<0>(read));
}

asio::awaitable<std::optional<problem>> connection::read_body(parser& request) {
  activity_ = activity::reading_body;
  while (!request.is_done()) {
    if (service_.current() >= phase::cutting_uploads) co_return service_ending();
    set_deadline(service_.settings.read_timeout);
    auto const read = co_await http::async_read_some(socket_, buffer_, request, use_tuple);
    if (std::get<0>(read)) co_return explain(std::get<0>(read));
  }
  co_return std::nullopt;
}

/// What to tell a client whose request could not be read. Throws where nobody is there to be told.
problem connection::explain(error_code failure) {
  out_of_step_ = true;
  if (failure == asio::error::operation_aborted) {
    return deadline_.passed() ? too_slow() : service_ending();
  }
  if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
    return header_too_large(header_limit);
  }
  if (failure == http::error::body_limit) {
    auto const limit = service_.settings.max_body;
    return body_too_large(fmt::format("more than {}", limit), limit);
  }
  if (failure == http::error::partial_message) {
    return activity_ == activity::reading_body ? incomplete_body()
                                               : malformed(first_line(), "it ends too soon");
  }
  if (failure == http::error::end_of_stream ||
      failure.category() != make_error_code(http::error::end_of_stream).category()) {
    throw boost::system::system_error{failure};
  }
  return malformed(first_line(), failure.message());
}

/// Of what has been read and could not be parsed.
std::string_view connection::first_line() const {
  auto const data = buffer_.cdata();
  auto const text = std::string_view{static_cast<char const*>(data.data()), data.size()};
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace press
