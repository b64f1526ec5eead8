// A program that does not live long enough to be scraped pushes its numbers before it ends.
//
//   push HOST PORT      of a Prometheus Pushgateway
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>
#include <brigade/prometheus.hpp>

#include <fmt/core.h>
#include <prometheus/gateway.h>

#include <cstdio>
#include <exception>
#include <memory>

namespace {

int run(char const* host, char const* port) {
  brigade::worker_pool pool{{.threads = 2, .capacity = 64, .name = "batch"}};
  for (int i = 0; i != 42; ++i) {
    if (pool.try_post([] { /* some work */ })) return 1;
  }
  pool.join();

  // After the work, and before the pool is destroyed: its last numbers are all of them.
  auto const collector = std::make_shared<brigade::prometheus_collector>();
  collector->add(pool);
  prometheus::Gateway gateway{host, port, "brigade_example"};
  gateway.RegisterCollectable(collector);
  int const status = gateway.Push();
  if (status / 100 != 2) {
    fmt::print(stderr, "push: {}:{} answered {}\n", host, port, status);
    return 1;
  }
  fmt::print("pushed\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: push HOST PORT\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (std::exception const& error) {
    fmt::print(stderr, "push: {}\n", error.what());
    return 1;
  }
}
