// How a connection lives: wait, read, answer, again, close. How a request is read is in
// connection_reading.cpp, what a compress request goes through in connection_compress.cpp.
// SPDX-License-Identifier: BSL-1.0
#include "connection.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <cstdio>
#include <ctime>
#include <variant>

#include "limits.hpp"
#include "pace.hpp"

namespace press {
namespace {

using boost::system::error_code;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

void report_unexpected(std::exception_ptr failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (boost::system::system_error const&) {
    // The connection broke: there is nobody to tell, and nothing wrong on this side.
  } catch (std::exception const& error) {
    fmt::print(stderr, "press: a connection had to be dropped: {}\n", error.what());
  }
}

}  // namespace

void connection::start(service& owner, asio::ip::tcp::socket socket) {
  auto const self = std::make_shared<connection>(owner, std::move(socket));
  owner.add(self);
  auto const on_end = [self](std::exception_ptr failure) { report_unexpected(failure); };
  asio::co_spawn(self->socket_.get_executor(), self->run(), on_end);
}

connection::connection(service& owner, asio::ip::tcp::socket socket)
    : service_(owner),
      entry_(owner.connections),
      socket_(std::move(socket)),
      held_(owner.memory),
      deadline_(socket_),
      buffer_(buffer_limit) {
  service_.http.connections.fetch_add(1);
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

connection::~connection() {
  service_.remove(this);
  service_.http.connections.fetch_sub(1);
}

asio::awaitable<void> connection::run() {
  // Here and elsewhere nothing is awaited inside of a condition: GCC 12 makes code of
  // `while (co_await ...)` that is never resumed.
  auto asked = co_await wait_for_request();
  while (asked) {
    auto const again = co_await serve_one();
    held_.set(0);
    if (again) {
      asked = co_await wait_for_request();
    } else {
      co_await close_gently();
      asked = false;
    }
  }
  deadline_.clear();
}

/// True once bytes of a request are there; false when the connection has served its time.
asio::awaitable<bool> connection::wait_for_request() {
  activity_ = activity::idle;
  set_deadline(service_.settings.idle_timeout);
  skip_empty_lines();
  while (buffer_.size() == 0) {
    error_code failure;
    if (service_.current() >= phase::closing && socket_.available(failure) == 0) co_return false;
    auto const read = co_await socket_.async_read_some(buffer_.prepare(read_size), use_tuple);
    buffer_.commit(std::get<1>(read));
    skip_empty_lines();
    auto const cut_short = std::get<0>(read) == asio::error::operation_aborted;
    if (std::get<0>(read) && (!cut_short || deadline_.passed())) co_return false;
  }
  co_return true;
}

/// Some clients send one behind a body. RFC 9112, 2.2: ignore those before a request.
void connection::skip_empty_lines() {
  auto const data = buffer_.cdata();
  auto const text = std::string_view{static_cast<char const*>(data.data()), data.size()};
  buffer_.consume(std::min(text.find_first_not_of("\r\n"), text.size()));
}

/// One request and its answer. True where the connection can be used for another.
asio::awaitable<bool> connection::serve_one() {
  request_parser request;
  set_limits(request);
  auto const unreadable = co_await read_header(request);
  if (unreadable) {
    auto message = make_answer(*unreadable);
    co_return co_await send(std::move(message), request_traits{});
  }
  request_traits traits{.version = request.get().version(),
                        .is_head = request.get().method() == http::verb::head,
                        .keep_alive = request.keep_alive()};
  may_be_asked_ = traits.version >= 11;
  auto const announced = request.content_length();
  auto const wanted =
      find_route(request.get(), announced ? std::optional<std::uint64_t>{*announced} : std::nullopt,
                 service_.settings.max_body, service_.settings.max_wait);

  answer message;
  if (auto const* const call = std::get_if<compress_call>(&wanted)) {
    message = co_await take_body_and_compress(request, *call);
  } else {
    auto const* const refusal = std::get_if<problem>(&wanted);
    message = refusal != nullptr ? make_answer(*refusal) : make_page(std::get<page>(wanted));
  }
  auto const gone = message.result_int() == client_closed_request;
  if (out_of_step_ || gone || !can_stay_in_step(request)) traits.keep_alive = false;
  auto const again = co_await send(std::move(message), traits);
  if (!again || request.is_done()) co_return again;
  auto const broken = co_await read_body(request);  // refused unread; takes it out of the way
  co_return !broken;
}

answer connection::make_page(page wanted) const {
  if (wanted == page::metrics) {
    return make_answer(http::status::ok, "text/plain; version=0.0.4; charset=utf-8",
                       service_.numbers.text());
  }
  if (wanted == page::readyz && service_.current() != phase::serving) {
    return make_answer(service_ending());
  }
  return make_answer(http::status::ok, "text/plain; charset=utf-8", "ok\n");
}

/// Sends an answer; true where the connection can be used for another request.
asio::awaitable<bool> connection::send(answer message, request_traits request) {
  activity_ = activity::writing;
  auto const again = request.keep_alive && service_.current() == phase::serving;
  message.version(request.version);
  message.keep_alive(again);
  message.set(http::field::server, "press");
  message.set(http::field::date,
              fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(std::time(nullptr))));
  message.prepare_payload();
  if (request.is_head) message.body().clear();  // after its length has been told
  service_.http.count_answer(message.result_int());

  http::response_serializer<http::string_body> serializer{message};
  pace const steps{service_.settings.write_timeout};
  for (std::uint64_t moved = 0; !serializer.is_done();) {
    set_deadline(steps.left(moved));
    auto const sent = co_await http::async_write_some(socket_, serializer, use_tuple);
    if (std::get<0>(sent)) throw boost::system::system_error{std::get<0>(sent)};
    moved += std::get<1>(sent);
  }
  service_.http.body_bytes_sent.fetch_add(message.body().size());
  co_return again;
}

/// Ends the sending side, then takes in what the client still sends until it has seen that: closing
/// with unread bytes resets the connection, and a reset can overtake the answer.
asio::awaitable<void> connection::close_gently() {
  activity_ = activity::lingering;
  error_code failure;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failure);
  set_deadline(service_.current() >= phase::closing ? short_linger : linger);
  buffer_.clear();
  while (!failure && !deadline_.passed()) {
    failure = co_await read_more();
    buffer_.clear();
  }
}

void connection::tell_phase() {
  auto const self = shared_from_this();
  asio::post(socket_.get_executor(), [self] { self->interrupt_if_due(); });
}

void connection::interrupt_if_due() {
  auto const now = service_.current();
  auto const uploading = activity_ == activity::reading_body;
  auto const unasked = activity_ == activity::idle || activity_ == activity::reading_header;
  error_code ignored;
  auto const in_work = activity_ == activity::working;
  if (now >= phase::aborting) {
    socket_.close(ignored);
  } else if ((uploading && now >= phase::cutting_uploads) || (in_work && now >= phase::giving_up) ||
             (unasked && now >= phase::closing)) {
    socket_.cancel(ignored);
  } else if (activity_ == activity::lingering && now >= phase::closing) {
    set_deadline(short_linger);
  }
}

}  // namespace press
