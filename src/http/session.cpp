// SPDX-License-Identifier: BSL-1.0
#include "session.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "host_check.hpp"

namespace brigade::detail {

namespace {

namespace http = boost::beast::http;

constexpr std::size_t header_limit = 8 * 1024;   // request line and fields
constexpr std::size_t buffer_limit = 16 * 1024;  // and what was sent behind them
constexpr std::size_t read_size = 2 * 1024;
constexpr std::size_t skip_limit = 256 * 1024;  // of an unwanted body, before the connection is cut
constexpr std::chrono::seconds linger{2};       // for the client to see the end of its answer

}  // namespace

http_session::http_session(boost::asio::ip::tcp::socket socket, http_house& house)
    : house_(house),
      place_(house.sessions.insert(house.sessions.end(), this)),
      stream_(std::move(socket)),
      buffer_(buffer_limit) {
  error_code ignored;
  stream_.socket().set_option(boost::asio::ip::tcp::no_delay{true}, ignored);
}

http_session::~http_session() { leave(); }

void http_session::leave() {
  if (!place_) return;
  house_.sessions.erase(*place_);
  place_.reset();
  if (house_.closing && house_.sessions.empty() && house_.on_last_gone) house_.on_last_gone();
}

void http_session::drop() {
  leave();
  stream_.close();  // what is awaited ends with an error, and the session with it
}

void http_session::finish() {
  if (!answering_) drop();
}

void http_session::wait_for_request() {
  if (!place_) return;
  house_.sessions.splice(house_.sessions.end(), house_.sessions, *place_);
  if (buffer_.size() != 0) return read_header();
  stream_.expires_after(house_.options.idle_timeout);
  auto const on_bytes = [self = shared_from_this()](error_code failure, std::size_t bytes) {
    if (failure) return;
    self->buffer_.commit(bytes);
    self->read_header();
  };
  stream_.async_read_some(buffer_.prepare(read_size), on_bytes);
}

void http_session::read_header() {
  request_.emplace();
  request_->header_limit(static_cast<std::uint32_t>(header_limit));
  stream_.expires_after(house_.options.read_timeout);
  auto const on_header = [self = shared_from_this()](error_code failure, std::size_t) {
    failure ? self->refuse(failure) : self->take_request();
  };
  http::async_read_header(stream_, buffer_, *request_, on_header);
}

void http_session::refuse(error_code failure) {
  // A connection that broke or took too long has nobody to tell; only the parser's errors do.
  if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
    return send(http_refusal(431, "the request line and fields exceed 8 KiB"), false);
  }
  if (failure == http::error::end_of_stream || failure == http::error::partial_message) return;
  if (failure.category() != make_error_code(http::error::end_of_stream).category()) return;
  send(http_refusal(400, "malformed request: " + failure.message()), false);
}

void http_session::take_request() {
  auto const has_body = !request_->is_done();
  if (has_body) return send(http_refusal(413, "no request here has a body"), false);
  send(answer_to_request(), request_->keep_alive());
}

http_answer http_session::answer_to_request() const {
  auto const& request = request_->get();
  auto const host = request[http::field::host];
  if (request.version() >= 11 && request.count(http::field::host) != 1) {
    return http_refusal(400, "an HTTP/1.1 request has one Host field");
  }
  if (house_.is_local && request.count(http::field::host) != 0 &&
      !is_local_host(host, house_.options.host_names)) {
    return http_refusal(421,
                        "this server answers to localhost, to IP addresses and to "
                        "http_options::host_names, not to '" +
                            std::string(host) + "'");
  }
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return http_refusal(405, "only GET and HEAD are understood");
  }
  return house_.content.get(request.target());
}

void http_session::send(http_answer answer, bool keep_alive) {
  auto const& request = request_->get();
  again_ = keep_alive && !house_.closing;
  answer_ = message(static_cast<http::status>(answer.status), request.version() == 10 ? 10U : 11U);
  answer_.set(http::field::content_type, answer.content_type);
  answer_.set(http::field::cache_control, "no-store");
  answer_.set("X-Content-Type-Options", "nosniff");
  answer_.set("Referrer-Policy", "no-referrer");
  answer_.set("Cross-Origin-Resource-Policy", "same-origin");
  if (!answer.policy.empty()) answer_.set("Content-Security-Policy", answer.policy);
  if (answer.status == 405) answer_.set(http::field::allow, "GET, HEAD");
  answer_.body() = std::move(answer.body);
  answer_.prepare_payload();
  answer_.keep_alive(again_);
  if (request.method() == http::verb::head) answer_.body().clear();  // its length has been told

  answering_ = true;
  writer_.emplace(answer_);
  stream_.expires_after(house_.options.write_timeout);
  auto const on_sent = [self = shared_from_this()](error_code failure, std::size_t) {
    self->on_sent(failure);
  };
  http::async_write(stream_, *writer_, on_sent);
}

void http_session::on_sent(error_code failure) {
  answering_ = false;
  writer_.reset();
  answer_ = {};
  if (failure) return;
  if (again_ && !house_.closing) return wait_for_request();
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, failure);
  stream_.expires_after(linger);
  buffer_.clear();
  read_until_end(skip_limit);
}

// Closing with unread bytes resets the connection, and a reset can overtake the answer.
void http_session::read_until_end(std::size_t left) {
  auto const on_bytes = [self = shared_from_this(), left](error_code failure, std::size_t bytes) {
    if (!failure && bytes < left) self->read_until_end(left - bytes);
  };
  stream_.async_read_some(buffer_.prepare(read_size), on_bytes);
}

}  // namespace brigade::detail
