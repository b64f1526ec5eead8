// The page that the HTTP server shows: src/http/page.html, embedded by src/http/embed_page.cmake.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

namespace brigade::detail {

/// The file's text.
std::string_view page_html() noexcept;

/// Its Content-Security-Policy: nothing but its own script and style, by their hashes, may run, and
/// nothing but this server may be asked.
std::string_view page_policy() noexcept;

}  // namespace brigade::detail
