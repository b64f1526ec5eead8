// SPDX-License-Identifier: BSL-1.0
#include "preferences.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <charconv>
#include <system_error>

namespace press {
namespace {

namespace beast = boost::beast;

/// Reads the grammar of RFC 7240 from left to right:
///   Prefer     = 1#( preference *( OWS ";" OWS [ preference ] ) )
///   preference = token [ OWS "=" OWS ( token / quoted-string ) ]
class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() {
    skip_space();
    return rest_.empty();
  }
  /// Takes `sign`, if it comes next.
  bool take(char sign) {
    skip_space();
    if (rest_.empty() || rest_.front() != sign) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<std::string> token() {
    skip_space();
    auto const end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
    if (end == rest_.begin()) return {};
    std::string result(rest_.begin(), end);
    rest_.remove_prefix(result.size());
    return result;
  }
  /// What stands behind a "=", if one comes next; empty where there is none.
  std::optional<std::string> value() {
    if (!take('=')) return std::string{};
    return take('"') ? rest_of_quotation() : token();
  }

 private:
  static bool is_token_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
  }
  void skip_space() {
    auto const end = std::min(rest_.find_first_not_of(" \t"), rest_.size());
    rest_.remove_prefix(end);
  }
  std::optional<std::string> rest_of_quotation() {
    std::string result;
    while (!rest_.empty()) {
      auto next = rest_.front();
      rest_.remove_prefix(1);
      if (next == '"') return result;
      if (next == '\\') {
        if (rest_.empty()) return {};
        next = rest_.front();
        rest_.remove_prefix(1);
      }
      result.push_back(next);
    }
    return {};
  }

  std::string_view rest_;
};

/// The same for one field, up to where it stops following the grammar.
std::optional<std::string> find_in_field(reader field, std::string_view name) {
  while (!field.at_end()) {
    if (field.take(',')) continue;  // a list may have empty members
    auto const found = field.token();
    auto value = found ? field.value() : std::nullopt;
    if (!value) return {};
    while (field.take(';')) {  // parameters, which no preference known here has
      if (field.token() && !field.value()) return {};
    }
    if (beast::iequals(*found, name)) return value;
    if (!field.at_end() && !field.take(',')) return {};
  }
  return {};
}

}  // namespace

std::optional<std::string> find_preference(beast::http::request_header<> const& header,
                                           std::string_view name) {
  auto const [first, last] = header.equal_range("Prefer");
  for (auto field = first; field != last; ++field) {
    if (auto value = find_in_field(reader{field->value()}, name)) return value;
  }
  return {};
}

std::optional<std::chrono::seconds> find_wait(beast::http::request_header<> const& header,
                                              std::chrono::seconds most) {
  auto const text = find_preference(header, "wait");
  if (!text || text->empty()) return {};
  if (!std::all_of(text->begin(), text->end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return {};
  }
  std::chrono::seconds::rep number = 0;
  auto const read = std::from_chars(text->data(), text->data() + text->size(), number);
  if (read.ec == std::errc::result_out_of_range) return most;
  if (number == 0) return {};
  return std::min(std::chrono::seconds{number}, most);
}

}  // namespace press
