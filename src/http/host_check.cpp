// SPDX-License-Identifier: BSL-1.0
#include "host_check.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

namespace brigade::detail {

namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    auto const end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

}  // namespace

bool is_local_host(std::string_view host, std::vector<std::string> const& names) {
  auto const name = without_port(host);
  boost::system::error_code no_address;
  boost::asio::ip::make_address(std::string(name), no_address);
  if (!no_address || boost::beast::iequals(name, "localhost")) return true;
  return std::ranges::any_of(
      names, [&](std::string const& known) { return boost::beast::iequals(name, known); });
}

}  // namespace brigade::detail
