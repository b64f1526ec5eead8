// Scraped by way of prometheus-cpp's own server, without brigade::http.
//
//   exposer [ADDRESS:PORT]    then: curl http://ADDRESS:PORT/metrics; ends on Ctrl-C
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>
#include <brigade/prometheus.hpp>

#include <fmt/core.h>
#include <prometheus/exposer.h>

#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

namespace {

int run(std::string const& address) {
  auto const collector = std::make_shared<brigade::prometheus_collector>();
  brigade::worker_pool pool{{.threads = 2, .capacity = 64, .name = "example"}};
  collector->add(pool);
  prometheus::Exposer exposer{address};
  exposer.RegisterCollectable(collector);
  fmt::print("metrics are on port {}\n", exposer.GetListeningPorts().front());
  std::fflush(stdout);

  for (int i = 0; i != 42; ++i) {
    if (pool.try_post([] { /* some work */ })) return 1;
  }
  auto ended = async_run_until_signal(pool, {}, boost::asio::use_future);
  auto const report = ended.get();
  fmt::print("{}\n", report);
  return report.exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "127.0.0.1:0");
  } catch (std::exception const& error) {
    fmt::print(stderr, "exposer: {}\n", error.what());
    return 1;
  }
}
