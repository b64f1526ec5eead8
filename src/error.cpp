// SPDX-License-Identifier: BSL-1.0
#include <brigade/error.hpp>

#include <array>
#include <string>
#include <system_error>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace brigade {

namespace {

class category final : public boost::system::error_category {
 public:
  char const* name() const noexcept override { return "brigade"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::queue_full: return "the pool is full: as many jobs are in flight as it may hold";
      case errc::closed: return "the pool is closed: it takes no more jobs";
      case errc::expired: return "the job was not started by its deadline";
      case errc::shed:
        return "the job was shed: a newer one took its slot, or it had been queued for too long";
      case errc::job_failed: return "the job threw an exception";
    }
    return "unknown brigade error " + std::to_string(value);
  }

  boost::system::error_condition default_error_condition(int value) const noexcept override {
    namespace condition = boost::system::errc;
    switch (static_cast<errc>(value)) {
      case errc::queue_full: return make_error_condition(condition::resource_unavailable_try_again);
      case errc::closed: return make_error_condition(condition::operation_not_permitted);
      case errc::expired: return make_error_condition(condition::timed_out);
      case errc::shed: return make_error_condition(condition::operation_canceled);
      case errc::job_failed: return make_error_condition(condition::state_not_recoverable);
    }
    return {value, *this};
  }
};

struct prepared {
  error_code verdict;
  std::exception_ptr exception;
};

using prepared_verdicts = std::array<prepared, 6>;

// Never destroyed: a handler of static storage may be given one while the process ends.
prepared_verdicts const& all_prepared() noexcept {
  static auto const& verdicts = *new prepared_verdicts([] {
    auto const prepare = [](error_code code) {
      return prepared{code, std::make_exception_ptr(boost::system::system_error(code))};
    };
    return prepared_verdicts{
        prepare(errc::queue_full), prepare(errc::closed),
        prepare(errc::expired),    prepare(errc::shed),
        prepare(errc::job_failed), prepare(boost::asio::error::operation_aborted)};
  }());
  return verdicts;
}

// An exception is never a success, whatever code it carries.
error_code failure_code(error_code const& code) noexcept {
  return code.failed() ? code : error_code(errc::job_failed);
}

}  // namespace

boost::system::error_category const& brigade_category() noexcept {
  static category const instance;
  return instance;
}

error_code make_error_code(errc value) noexcept {
  return {static_cast<int>(value), brigade_category()};
}

error_code to_error_code(std::exception_ptr const& failure) noexcept {
  if (!failure) return {};
  for (auto const& known : all_prepared()) {
    if (known.exception == failure) return known.verdict;
  }
  try {
    std::rethrow_exception(failure);
  } catch (boost::system::system_error const& error) {
    return failure_code(error.code());
  } catch (std::system_error const& error) {
    return failure_code(error.code());
  } catch (...) {
    return errc::job_failed;
  }
}

namespace detail {

std::exception_ptr verdict_exception(error_code const& verdict) noexcept {
  for (auto const& known : all_prepared()) {
    if (known.verdict == verdict) return known.exception;
  }
  return all_prepared().back().exception;
}

}  // namespace detail
}  // namespace brigade
