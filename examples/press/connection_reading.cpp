// How a connection reads one request, and what it tells a client whose request cannot be read.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>

#include "connection.hpp"
#include "estimate.hpp"
#include "limits.hpp"
#include "pace.hpp"

namespace press {

using boost::system::error_code;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

/// Waits for bytes and takes them into the buffer. The end of the stream is told of and left where
/// it is: Asio, once it has read that, waits for ever when it is asked to read on.
asio::awaitable<error_code> connection::read_more() {
  auto const waited = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, use_tuple);
  error_code failure = std::get<0>(waited);
  if (!failure && socket_.available(failure) == 0 && !failure) failure = asio::error::eof;
  if (failure) co_return failure;
  auto const read = co_await socket_.async_read_some(buffer_.prepare(read_size), use_tuple);
  buffer_.commit(std::get<1>(read));
  co_return std::get<0>(read);
}

asio::awaitable<std::optional<problem>> connection::read_header(request_parser& request) {
  activity_ = activity::reading_header;
  set_deadline(service_.settings.read_timeout);
  auto const read = co_await http::async_read_header(socket_, buffer_, request, use_tuple);
  if (!std::get<0>(read)) co_return std::nullopt;
  co_return explain(std::get<0>(read));
}

asio::awaitable<std::optional<problem>> connection::read_body(request_parser& request) {
  activity_ = activity::reading_body;
  auto const& body = request.get().body();
  request.eager(true);  // all that has arrived at once, and not chunk by chunk
  pace const steps{service_.settings.read_timeout};
  while (!request.is_done()) {
    if (service_.current() >= phase::cutting_uploads) co_return service_ending();
    set_deadline(steps.left(body.size()));
    auto const read = co_await http::async_read_some(socket_, buffer_, request, use_tuple);
    if (std::get<0>(read)) co_return explain(std::get<0>(read));
    if (!held_.grow_to(body.size())) {
      out_of_step_ = true;
      co_return memory_full(retry_after(service_.pool));
    }
  }
  co_return std::nullopt;
}

/// What to tell a client whose request could not be read. Throws where nobody is there to be told.
problem connection::explain(error_code failure) {
  out_of_step_ = true;
  if (failure == asio::error::operation_aborted) {
    return deadline_.passed() ? too_slow() : service_ending();
  }
  auto const part = activity_ == activity::reading_body ? request_part::body : request_part::header;
  auto refusal = explain_parse_error(failure, part, buffer_, service_.settings.max_body);
  if (!refusal) throw boost::system::system_error{failure};
  return *std::move(refusal);
}

}  // namespace press
