// A program of somebody else's that has its pool watched.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>
#include <brigade/http.hpp>
#include <brigade/prometheus.hpp>
#include <cstdio>

int main() {
  brigade::worker_pool pool{{.threads = 1, .capacity = 8, .name = "outside"}};
  brigade::prometheus_collector collector;
  collector.add(pool);
  brigade::http_server server;
  server.add(pool);
  std::printf("%zu families, %s\n", collector.Collect().size(), server.url().c_str());
  return collector.Collect().empty() || server.port() == 0 ? 1 : 0;
}
