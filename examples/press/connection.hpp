// press: one client's connection: its requests one after another, each answered before the next.
//
// What a client may be sure of:
// - A request whose header had arrived before the service began to end is answered as ever.
// - A client that closes its connection while its body waits or is in work cancels it. One that
//   closes only its sending side is answered. (From here the two look the same until something is
//   sent, so an interim answer is, every second: whoever is gone resets the connection then.)
// - Requests may be pipelined. Of those that arrive early `read_ahead` bytes are taken in.
//
// Thread safety: all of it runs on its socket's executor, one thread; `tell_phase()` may be called
// anywhere.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "compress_job.hpp"
#include "deadline.hpp"
#include "framing.hpp"
#include "memory_budget.hpp"
#include "problem.hpp"
#include "routes.hpp"
#include "service.hpp"

namespace press {

class connection : public std::enable_shared_from_this<connection> {
 public:
  /// Serves `socket`, whose executor is one thread, until the client or the service ends it.
  static void start(service& owner, asio::ip::tcp::socket socket);

  connection(service& owner, asio::ip::tcp::socket socket);
  ~connection();
  connection(connection const&) = delete;
  connection& operator=(connection const&) = delete;

  /// The service has entered a new phase: breaks off what is waited for in vain.
  void tell_phase();

 private:
  enum class activity { idle, reading_header, reading_body, working, writing, lingering };

  /// What the answer needs to know of its request.
  struct request_traits {
    unsigned version = 11;
    bool is_head = false;
    bool keep_alive = false;
  };

  asio::awaitable<void> run();
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> wait_for_request();
  asio::awaitable<std::optional<problem>> read_header(request_parser& request);
  asio::awaitable<std::optional<problem>> read_body(request_parser& request);
  asio::awaitable<boost::system::error_code> read_more();
  asio::awaitable<void> send_continue();
  asio::awaitable<answer> take_body_and_compress(request_parser& request, compress_call call);
  asio::awaitable<answer> compress(std::string body, compress_call call, tally_entry upload);
  asio::awaitable<job_outcome> submit(std::string body, compress_call call, std::stop_token abandon,
                                      tally_entry upload);
  asio::awaitable<void> watch_for_disconnect(std::stop_source abandon);
  asio::awaitable<boost::system::error_code> read_ahead_of_answer();
  asio::awaitable<boost::system::error_code> find_out_who_is_there();
  asio::awaitable<boost::system::error_code> wait_for_reset();
  asio::awaitable<bool> send(answer message, request_traits request);
  asio::awaitable<void> close_gently();

  answer make_page(page wanted) const;
  answer answer_of(job_outcome outcome, compress_call const& call) const;
  answer make_answer_of_end() const;
  problem explain(boost::system::error_code failure);
  void skip_empty_lines();
  void interrupt_if_due();
  void set_deadline(std::chrono::milliseconds time) { deadline_.set(time, weak_from_this()); }

  service& service_;
  tally_entry entry_;
  asio::ip::tcp::socket socket_;
  memory_share held_;  // the body or the answer of the request that is being served
  deadline deadline_;
  boost::beast::flat_buffer buffer_;
  activity activity_ = activity::idle;
  bool may_be_asked_ = false;  // by an interim answer, which HTTP/1.0 does not have
  bool out_of_step_ = false;   // a request could not be read to its end: the next cannot be found
};

}  // namespace press
