// http/host_check.hpp: whom a server on a loopback address answers to.
// SPDX-License-Identifier: BSL-1.0
#include "http/host_check.hpp"

#include "support/catch.hpp"

using brigade::detail::is_local_host;

TEST_CASE("localhost and addresses are answered to", "[unit][host_check]") {
  for (auto const* const host : {"localhost", "LocalHost:9464", "127.0.0.1", "127.0.0.1:80",
                                 "[::1]", "[::1]:9464", "10.0.0.7:1"}) {
    CAPTURE(host);
    CHECK(is_local_host(host, {}));
  }
}

TEST_CASE("names of others are not", "[unit][host_check]") {
  for (auto const* const host : {"evil.example", "evil.example:9464", "localhost.evil.example", "",
                                 ":80", "[::1", "127.0.0.1.evil.example", "127.1.evil", "[evil]"}) {
    CAPTURE(host);
    CHECK_FALSE(is_local_host(host, {}));
  }
}

TEST_CASE("names that were given are", "[unit][host_check]") {
  CHECK(is_local_host("Metrics.Example:443", {"metrics.example"}));
  CHECK_FALSE(is_local_host("example", {"metrics.example"}));
}
