// Which names a server on a loopback address answers to.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace brigade::detail {

/// Whether the `Host` of a request, with or without a port, is `localhost`, an IP address or one of
/// `names`. Case does not matter.
///
/// A web page may point a DNS name of its own at 127.0.0.1 and then read what is there as if it
/// were its own; its requests carry that name.
bool is_local_host(std::string_view host, std::vector<std::string> const& names);

}  // namespace brigade::detail
