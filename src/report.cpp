// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/report.hpp>

#include <cstdio>
#include <string>

#include <fmt/format.h>

namespace brigade::detail {

namespace {

std::string text_of(std::exception_ptr const& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (std::exception const& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace

void print_line(std::string_view pool, std::string_view text) {
  // One write, so that lines of several workers do not mix.
  auto const line = fmt::format("brigade: pool '{}': {}\n", pool, text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void print_error(std::string_view pool, std::string_view what_happened,
                 std::exception_ptr const& failure) noexcept {
  try {
    print_line(pool, fmt::format("{}: {}", what_happened, text_of(failure)));
  } catch (...) {
    std::fputs("brigade: an error could not be reported for lack of memory\n", stderr);
  }
}

void report(error_hook const& hook, std::string_view pool, std::string_view what_happened,
            std::exception_ptr const& failure) noexcept {
  if (!hook) return print_error(pool, what_happened, failure);
  try {
    hook(failure);
  } catch (...) {
    print_error(pool, what_happened, failure);
    print_error(pool, "the hook that was told of it threw", std::current_exception());
  }
}

}  // namespace brigade::detail
