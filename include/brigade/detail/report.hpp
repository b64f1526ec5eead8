// How an exception that has no handler reaches a person.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <functional>
#include <string_view>

namespace brigade::detail {

using error_hook = std::function<void(std::exception_ptr)>;

/// One line on stderr: "brigade: pool 'name': text".
void print_line(std::string_view pool, std::string_view text);

/// The same of an exception: "what happened: what()".
void print_error(std::string_view pool, std::string_view what_happened,
                 std::exception_ptr const& failure) noexcept;

/// Gives `failure` to the hook, or prints it where there is none or the hook itself throws.
void report(error_hook const& hook, std::string_view pool, std::string_view what_happened,
            std::exception_ptr const& failure) noexcept;

}  // namespace brigade::detail
