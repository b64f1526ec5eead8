// One client's connection to the HTTP server: its requests one after another.
//
// A client cannot hold the server up. Each step has a time; a header has a size, and a body is not
// read at all; and where more connections come than the server holds, the one that has been waited
// for the longest is dropped, which a client that asks at once never is.
//
// Thread safety: everything on the server's one thread.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include <brigade/error.hpp>

#include "content.hpp"

namespace brigade::detail {

class http_session;

/// What all sessions of a server share. Outlives them.
struct http_house {
  http_content content;
  http_options options;
  bool is_local = true;  // listens on a loopback address: names of others are not answered to
  bool closing = false;  // the server ends: no request is waited for
  std::list<http_session*> sessions{};   // those waited for the longest first; no dropped ones
  std::function<void()> on_last_gone{};  // called when it is closing and the last session has left
};

class http_session : public std::enable_shared_from_this<http_session> {
 public:
  http_session(boost::asio::ip::tcp::socket socket, http_house& house);
  ~http_session();
  http_session(http_session const&) = delete;
  http_session& operator=(http_session const&) = delete;

  void start() { wait_for_request(); }

  /// Closes the connection now.
  void drop();

  /// Closes the connection unless an answer is being sent: then behind that.
  void finish();

 private:
  using parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
  using message = boost::beast::http::response<boost::beast::http::string_body>;

  void leave();
  void wait_for_request();
  void read_header();
  void take_request();
  [[nodiscard]] http_answer answer_to_request() const;
  void refuse(error_code failure);
  void send(http_answer answer, bool keep_alive);
  void on_sent(error_code failure);
  void read_until_end(std::size_t left);

  http_house& house_;
  std::optional<std::list<http_session*>::iterator> place_;  // none once dropped
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<parser> request_;
  message answer_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> writer_;
  bool answering_ = false;
  bool again_ = false;  // another request may follow the answer
};

}  // namespace brigade::detail
