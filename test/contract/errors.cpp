// The error codes of the library, and how they are read out of what a handler is given.
// SPDX-License-Identifier: BSL-1.0
#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::error_code;
using brigade::to_error_code;

namespace {

std::vector<errc> const every_errc{errc::queue_full, errc::closed, errc::expired, errc::shed,
                                   errc::job_failed};

// What `future.get()` throws; null if it does not.
template <class Future>
std::exception_ptr thrown_by(Future future) {
  try {
    static_cast<void>(future.get());
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

// The code that a job's own exception is read as, after its journey to a handler.
template <class Exception>
error_code code_of_job_throwing(Exception const& exception) {
  brigade::worker_pool pool{{.threads = 1}};
  std::exception_ptr given;
  pool.async_submit([&] { throw exception; }, [&](std::exception_ptr failure) { given = failure; });
  pool.join();
  CHECK(given != nullptr);
  return to_error_code(given);
}

}  // namespace

static_assert(boost::system::is_error_code_enum<errc>::value);
static_assert(std::is_convertible_v<errc, error_code>);
static_assert(std::is_same_v<brigade::error_code, boost::system::error_code>);
static_assert(noexcept(to_error_code(std::exception_ptr{})));

TEST_CASE("every errc is an error, and no two are equal", "[contract][errors]") {
  std::set<int> values;
  for (auto const value : every_errc) {
    error_code const code = value;
    CHECK(code.failed());
    CHECK(code == value);
    CHECK(code == brigade::make_error_code(value));
    CHECK(code.value() == static_cast<int>(value));
    values.insert(code.value());
  }
  CHECK(values.size() == every_errc.size());
  CHECK(values.count(0) == 0);
  CHECK_FALSE(error_code(errc::queue_full) == errc::closed);
}

TEST_CASE("the category is called brigade and is one object", "[contract][errors]") {
  CHECK(std::string(brigade::brigade_category().name()) == "brigade");
  CHECK(error_code(errc::closed).category() == brigade::brigade_category());
  CHECK(&brigade::brigade_category() == &brigade::brigade_category());
}

TEST_CASE("every errc has a message of its own", "[contract][errors]") {
  std::set<std::string> messages;
  for (auto const value : every_errc) {
    auto const message = error_code(value).message();
    CHECK(message.size() > 10);
    CHECK(message.find("unknown") == std::string::npos);
    messages.insert(message);
  }
  CHECK(messages.size() == every_errc.size());
}

TEST_CASE("a value that is no errc still has a message and a condition", "[contract][errors]") {
  error_code const stray(4711, brigade::brigade_category());
  CHECK(stray.message().find("4711") != std::string::npos);
  CHECK(stray.default_error_condition().value() == 4711);
  CHECK(stray.failed());
}

TEST_CASE("every errc equals its nearest standard condition", "[contract][errors]") {
  namespace generic = boost::system::errc;
  CHECK(error_code(errc::queue_full) == generic::resource_unavailable_try_again);
  CHECK(error_code(errc::closed) == generic::operation_not_permitted);
  CHECK(error_code(errc::expired) == generic::timed_out);
  CHECK(error_code(errc::shed) == generic::operation_canceled);
  CHECK(error_code(errc::job_failed) == generic::state_not_recoverable);
  CHECK_FALSE(error_code(errc::queue_full) == generic::timed_out);
}

TEST_CASE("an errc that became a std::error_code equals the std::errc", "[contract][errors]") {
  auto const as_std = [](errc value) { return std::error_code(error_code(value)); };
  CHECK(as_std(errc::queue_full) == std::errc::resource_unavailable_try_again);
  CHECK(as_std(errc::closed) == std::errc::operation_not_permitted);
  CHECK(as_std(errc::expired) == std::errc::timed_out);
  CHECK(as_std(errc::shed) == std::errc::operation_canceled);
  CHECK(as_std(errc::job_failed) == std::errc::state_not_recoverable);
  CHECK_FALSE(as_std(errc::closed) == std::errc::timed_out);
  CHECK(std::string(as_std(errc::closed).category().name()) == "brigade");
}

TEST_CASE("a Boost code equals the std::errc of its condition", "[contract][errors]") {
  CHECK(error_code(errc::queue_full) == std::errc::resource_unavailable_try_again);
  CHECK(error_code(errc::closed) == std::errc::operation_not_permitted);
}

TEST_CASE("no exception reads as no error", "[contract][errors]") {
  CHECK(to_error_code(nullptr) == error_code{});
  CHECK_FALSE(to_error_code({}).failed());
}

TEST_CASE("a refusal reads as its verdict", "[contract][errors]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto full = pool.async_submit([] {}, asio::use_future);
  CHECK(to_error_code(thrown_by(std::move(full))) == errc::queue_full);
  pool.close();
  auto closed = pool.async_submit([] { return 1; }, asio::use_future);
  CHECK(to_error_code(thrown_by(std::move(closed))) == errc::closed);
}

TEST_CASE("a cancelled job reads as operation_aborted", "[contract][errors]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  auto queued = pool.async_submit([] {}, asio::use_future);
  pool.stop();
  CHECK(to_error_code(thrown_by(std::move(queued))) == asio::error::operation_aborted);
}

TEST_CASE("a verdict is a boost system_error that says what happened", "[contract][errors]") {
  brigade::worker_pool pool{{.threads = 1}};
  pool.close();
  auto refused = pool.async_submit([] {}, asio::use_future);
  try {
    refused.get();
    FAIL("it was not refused");
  } catch (boost::system::system_error const& error) {
    CHECK(error.code() == errc::closed);
    CHECK(std::string(error.what()).find(error_code(errc::closed).message()) != std::string::npos);
  }
}

TEST_CASE("a job's boost system_error reads as its own code", "[contract][errors]") {
  CHECK(code_of_job_throwing(boost::system::system_error(asio::error::connection_reset)) ==
        asio::error::connection_reset);
  CHECK(code_of_job_throwing(boost::system::system_error(errc::shed)) == errc::shed);
}

TEST_CASE("a job's std::system_error reads as its own code", "[contract][errors]") {
  auto const code = code_of_job_throwing(
      std::system_error(std::make_error_code(std::errc::no_such_file_or_directory)));
  CHECK(code == std::errc::no_such_file_or_directory);
  CHECK(code == boost::system::errc::no_such_file_or_directory);
}

TEST_CASE("any other exception reads as job_failed", "[contract][errors]") {
  CHECK(code_of_job_throwing(std::runtime_error("no disk")) == errc::job_failed);
  CHECK(code_of_job_throwing(42) == errc::job_failed);
}

TEST_CASE("a system_error that carries success reads as job_failed", "[contract][errors]") {
  CHECK(code_of_job_throwing(boost::system::system_error(error_code{})) == errc::job_failed);
  CHECK(code_of_job_throwing(std::system_error(std::error_code{})) == errc::job_failed);
}

TEST_CASE("a class derived from system_error is read, too", "[contract][errors]") {
  struct own_error : boost::system::system_error {
    own_error() : system_error(asio::error::host_not_found) {}
  };
  CHECK(code_of_job_throwing(own_error{}) == asio::error::host_not_found);
}
