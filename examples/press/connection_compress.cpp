// What a compress request goes through: its body is read, becomes a job, and the job's outcome an
// answer. This is where press meets brigade.
// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <brigade/brigade.hpp>
#include <string_view>
#include <variant>

#include "connection.hpp"
#include "estimate.hpp"
#include "limits.hpp"

namespace press {
namespace {

using boost::system::error_code;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

double in_milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

std::string what(std::exception_ptr const& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (std::exception const& error) {
    return error.what();
  } catch (...) {
    return "an unknown error";
  }
}

/// Who says how long it waits does so in line, and is not served once nobody waits any more.
brigade::submit_options terms_of(compress_call const& call) {
  brigade::submit_options terms{.lane = static_cast<unsigned>(call.urgency), .name = "compress"};
  if (!call.wait) return terms;
  terms.when_full = brigade::overflow::wait;
  terms.start_by = brigade::clock::now() + *call.wait;
  return terms;
}

}  // namespace

asio::awaitable<answer> connection::take_body_and_compress(request_parser& request,
                                                           compress_call call) {
  tally_entry upload{
      service_.uploads};  // first this, then the look at the phase: see end_service()
  if (service_.current() >= phase::refusing) co_return make_answer(service_ending());
  auto const announced = request.content_length();
  if (announced && !service_.memory.has_room_for(*announced)) {
    co_return make_answer(memory_full(retry_after(service_.pool)));
  }
  request.body_limit(service_.settings.max_body);
  if (waits_for_continue(request.get()) && !request.is_done()) co_await send_continue();
  auto const refusal = co_await read_body(request);
  if (refusal) co_return make_answer(*refusal);
  auto body = std::move(request.get().body());
  service_.http.body_bytes_received.fetch_add(body.size());
  auto working = compress(std::move(body), call, std::move(upload));
  co_return co_await std::move(working);
}

asio::awaitable<void> connection::send_continue() {
  activity_ = activity::writing;
  set_deadline(service_.settings.write_timeout);
  co_await asio::async_write(socket_, asio::buffer(go_on), asio::use_awaitable);
}

/// The job and the watch over the client run side by side; the first to end cancels the other.
asio::awaitable<answer> connection::compress(std::string body, compress_call call,
                                             tally_entry upload) {
  using namespace asio::experimental::awaitable_operators;
  activity_ = activity::working;
  deadline_.clear();
  std::stop_source abandon;
  auto job = submit(std::move(body), call, abandon.get_token(), std::move(upload));
  auto watch = watch_for_disconnect(abandon);
  auto first = co_await (std::move(job) || std::move(watch));
  if (first.index() == 1) co_return make_answer_of_end();
  auto message = answer_of(std::move(std::get<0>(first)), call);
  held_.set(message.body().size());  // the body is gone
  if (call.wait) message.set("Preference-Applied", fmt::format("wait={}", call.wait->count()));
  co_return message;
}

asio::awaitable<job_outcome> connection::submit(std::string body, compress_call call,
                                                std::stop_token abandon, tally_entry upload) {
  // The upload is over once the pool has its verdict, which it has when this coroutine suspends;
  // not before, or the drain could get in between. Being on the same thread, this comes after that.
  // One that may have to wait in line is not over before it is told: the line has the grace, too.
  if (!call.wait) {
    auto leave = [upload = std::move(upload)] {};
    asio::post(socket_.get_executor(), std::move(leave));
  }
  // A variable, and not an expression inside of the co_await: GCC 12 would destroy it twice.
  auto job = make_compress_job(std::move(body), call.level, std::move(abandon));
  auto completion = co_await service_.pool.async_submit(std::move(job), terms_of(call), use_tuple);
  job_outcome outcome;
  outcome.failure = std::move(std::get<0>(completion));
  outcome.result = std::move(std::get<1>(completion));
  co_return outcome;
}

/// Ends when the client is gone, or the service has no more time.
asio::awaitable<void> connection::watch_for_disconnect(std::stop_source abandon) {
  for (;;) {
    auto failure = co_await read_ahead_of_answer();
    if (failure == asio::error::eof) failure = co_await find_out_who_is_there();
    if (failure && service_.current() >= phase::giving_up) break;
    if (failure == asio::error::operation_aborted) co_return;  // the job has ended
    if (failure) break;
  }
  abandon.request_stop();  // for a job that is running; one that is queued is cancelled by `||`
}

/// What a client sends now is the beginning of its next requests. With `read_ahead` bytes of that,
/// only a reset is still noticed.
asio::awaitable<error_code> connection::read_ahead_of_answer() {
  if (buffer_.size() >= read_ahead) co_return co_await wait_for_reset();
  co_return co_await read_more();
}

/// The client has closed its sending side, or all of its connection. Whoever has done the latter,
/// now or later, resets the connection when something more is sent to it.
asio::awaitable<error_code> connection::find_out_who_is_there() {
  for (bool still_there = may_be_asked_; still_there;) {
    set_deadline(ask_again);
    auto const sent = co_await socket_.async_write_some(asio::buffer(go_on), use_tuple);
    error_code failure = std::get<0>(sent);
    if (!failure && std::get<1>(sent) != go_on.size()) failure = asio::error::broken_pipe;
    if (!failure) failure = co_await wait_for_reset();
    still_there = failure == asio::error::operation_aborted && deadline_.passed();
    if (!still_there) co_return failure;
  }
  co_return co_await wait_for_reset();
}

asio::awaitable<error_code> connection::wait_for_reset() {
  auto const gone = co_await socket_.async_wait(asio::ip::tcp::socket::wait_error, use_tuple);
  co_return std::get<0>(gone) ? std::get<0>(gone) : asio::error::connection_reset;
}

/// The watch has ended before the job: the client is gone, or the service has no more time.
answer connection::make_answer_of_end() const {
  if (service_.current() < phase::giving_up) return make_answer(client_gone());
  service_.given_up.fetch_add(1);
  return make_answer(given_up());
}

answer connection::answer_of(job_outcome outcome, compress_call const& call) const {
  if (!outcome.failure) {
    auto message =
        make_answer(http::status::ok, "application/zstd", std::move(outcome.result.frame));
    message.set("Server-Timing", fmt::format("queue;dur={:.3f}, run;dur={:.3f}",
                                             in_milliseconds(outcome.result.queued),
                                             in_milliseconds(outcome.result.ran)));
    return message;
  }
  auto const verdict = brigade::to_error_code(outcome.failure);
  if (verdict == brigade::errc::queue_full)
    return make_answer(queue_full(service_.settings.capacity, retry_after(service_.pool)));
  if (verdict == brigade::errc::expired)
    return make_answer(waited_in_vain(*call.wait, retry_after(service_.pool)));
  if (verdict == brigade::errc::closed) return make_answer(service_ending());
  if (verdict == asio::error::operation_aborted) {
    service_.given_up.fetch_add(1);
    return make_answer(given_up());
  }
  return make_answer(compression_failed(what(outcome.failure)));
}

}  // namespace press
