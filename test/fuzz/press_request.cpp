// Feeds bytes to what press does with a request before there is a job: Beast's parser within
// press's limits, the refusals of what cannot be parsed, the route, the preferences, and the
// answer's text.
//
// An input is what a client sends on one connection, behind a first byte that says in which pieces
// it arrives. Requests follow each other as in a connection. What must hold, or the process aborts:
// - in pieces the bytes mean what they mean as a whole;
// - a request with two lengths, or with a length and a coding, is never taken;
// - numbers from the request are within their ranges;
// - no answer's fields hold what the client could have made a line of its own of, and a problem is
//   JSON.
//
// Built with BRIGADE_BUILD_FUZZERS for libFuzzer (Clang), else with replay.cpp, which runs files.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/json/parse.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compress.hpp"
#include "framing.hpp"
#include "limits.hpp"
#include "routes.hpp"

namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t max_body = 4096;
constexpr std::chrono::seconds max_wait{60};

void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void check(press::answer message) {
  message.prepare_payload();
  for (auto const& field : message) {
    for (char const each : field.value()) {
      require(static_cast<unsigned char>(each) >= 0x20 && each != 0x7f, "fields hold text");
    }
  }
  if (message[http::field::content_type] == "application/problem+json") {
    error_code failure;
    auto const problem = boost::json::parse(message.body(), failure);
    require(!failure && problem.is_object(), "a problem is JSON");
    require(problem.at("status").to_number<unsigned>() == message.result_int(), "its status");
  }
}

void check(press::compress_call const& call) {
  require(call.level >= press::lowest_level && call.level <= press::highest_level, "level");
  require(!call.wait || (call.wait->count() >= 1 && *call.wait <= max_wait), "wait");
}

void check_lengths(press::request_parser const& request) {
  auto const& header = request.get();
  bool const coded = header.count(http::field::transfer_encoding) != 0;
  require(!coded || header.count(http::field::content_length) == 0, "one kind of length");
  auto const announced = request.content_length();
  if (announced && request.is_done()) {
    require(request.get().body().size() == *announced, "the body has its announced length");
  }
}

/// What became of one request.
struct verdict {
  unsigned status = 0;  // 0: it was taken
  std::string kind, target, body;
  bool operator==(verdict const&) const = default;
};

/// A connection whose bytes come in pieces of `step`.
class conversation {
 public:
  conversation(std::string_view bytes, std::size_t step) : rest_(bytes), step_(step) {}

  std::vector<verdict> run() {
    std::vector<verdict> found;
    while (serve_one(found)) {
    }
    return found;
  }

 private:
  using part = press::request_part;

  bool receive() {
    auto const count = std::min(step_, rest_.size());
    if (count == 0) return false;
    auto const room = buffer_.prepare(count);
    buffer_.commit(boost::asio::buffer_copy(room, boost::asio::buffer(rest_.data(), count)));
    rest_.remove_prefix(count);
    return true;
  }

  /// As Beast's read operations do, with press's bound on what is read and not parsed.
  template <class Done>
  error_code parse_until(press::request_parser& request, Done done) {
    while (!done()) {
      error_code failure = http::error::need_more;
      if (buffer_.size() != 0) buffer_.consume(request.put(buffer_.data(), failure));
      if (failure && failure != http::error::need_more) return failure;
      if (!failure || done()) continue;
      if (buffer_.size() >= press::buffer_limit) return http::error::buffer_overflow;
      if (receive()) continue;
      if (!request.got_some()) return http::error::end_of_stream;
      request.put_eof(failure = {});
      return failure;
    }
    return {};
  }

  /// False where the connection ends.
  bool serve_one(std::vector<verdict>& found) {
    press::request_parser request;
    press::set_limits(request);
    if (auto const failure = parse_until(request, [&] { return request.is_header_done(); })) {
      return refuse(failure, part::header, found);
    }
    auto const announced = request.content_length();
    auto const wanted = press::find_route(
        request.get(), announced ? std::optional<std::uint64_t>{*announced} : std::nullopt,
        max_body, max_wait);
    std::string const target = request.get().target();
    if (auto const* const refusal = std::get_if<press::problem>(&wanted)) {
      check(press::make_answer(*refusal));
      found.push_back({refusal->status, std::string{refusal->kind}, target, {}});
    } else if (auto const* const call = std::get_if<press::compress_call>(&wanted)) {
      check(*call);
      request.body_limit(max_body);
      request.eager(true);
      if (auto const failure = parse_until(request, [&] { return request.is_done(); })) {
        return refuse(failure, part::body, found);
      }
      check_lengths(request);
      require(request.get().body().size() <= max_body, "the body is within its limit");
      found.push_back({0, "compress", target, request.get().body()});
    } else {
      found.push_back({0, "page", target, {}});
    }
    if (!request.keep_alive() || !press::can_stay_in_step(request)) return false;
    return !parse_until(request, [&] { return request.is_done(); });
  }

  bool refuse(error_code failure, part where, std::vector<verdict>& found) {
    auto const refusal = press::explain_parse_error(failure, where, buffer_, max_body);
    if (refusal) {
      check(press::make_answer(*refusal));
      found.push_back({refusal->status, {}, {}, {}});
    }
    return false;
  }

  std::string_view rest_;
  std::size_t step_;
  boost::beast::flat_buffer buffer_{press::buffer_limit};
};

/// The limits are on what has been read, which is more where it arrives as a whole.
bool is_about_size(std::vector<verdict> const& found) {
  return !found.empty() && (found.back().status == 431 || found.back().status == 413);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view const bytes{reinterpret_cast<char const*>(data) + 1, size - 1};
  auto const in_pieces = conversation{bytes, std::size_t{data[0]} + 1}.run();
  auto const whole = conversation{bytes, press::read_size}.run();
  if (!is_about_size(in_pieces) && !is_about_size(whole)) {
    require(in_pieces == whole, "in pieces as a whole");
  }
  return 0;
}
