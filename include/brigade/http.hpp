// brigade: a page that shows pools at work, and what a load balancer and Prometheus ask for.
//
//   brigade::http_server server{{.port = 9464}};
//   server.add(pool);
//   fmt::print("{}\n", server.url());  // http://127.0.0.1:9464/
//
//   /             a page with live plots: one file that asks nobody but this server
//   /pools.json   the numbers behind it
//   /metrics      the Prometheus text format
//   /healthz      200 while the server lives
//   /readyz       200 while every pool is running, else 503
//
// Optional: link brigade::http.
//
// Thread safety: distinct objects: safe; shared objects: safe, until the destructor begins.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <brigade/pool_view.hpp>
#include <brigade/prometheus.hpp>

namespace brigade {

class worker_pool;

/// What an `http_server` is made of. Each member has a working default.
struct http_options {
  /// Numeric address to listen on, IPv4 or IPv6. By default this machine alone can connect;
  /// `0.0.0.0` and `::` are all addresses. There is no password: who can connect can read.
  std::string address = "127.0.0.1";
  /// 0: the system picks one, `http_server::port()` tells which.
  std::uint16_t port = 0;
  /// What the page is called.
  std::string title = "brigade";
  /// On a loopback address requests are answered whose `Host` is `localhost` or an IP address, so
  /// that no web page can read the numbers by a DNS name of its own that points here. More names to
  /// answer to, without a port: for a proxy that passes on the name it was asked for.
  std::vector<std::string> host_names{};
  /// Asked by `/readyz` besides the pools, on the server's thread.
  std::function<bool()> is_ready{};

  /// Connections held at once. One more closes the one that has been waited for the longest. At
  /// least 1.
  std::size_t max_connections = 64;
  /// How long a connection may stay open without a request. These times are more than 0.
  std::chrono::milliseconds idle_timeout{30'000};
  /// How long a request may take to arrive, from its first byte to its last.
  std::chrono::milliseconds read_timeout{5'000};
  /// How long an answer may take to be received.
  std::chrono::milliseconds write_timeout{10'000};

  /// For `/metrics`.
  prometheus_options prometheus{};
};

/// Serves HTTP/1.1 on a thread of its own, which does no job and outlives the workers: a pool can
/// be watched while all of its workers are stuck, and while it ends.
///
/// Pools are not kept alive; one that is destroyed is left out from then on. Destroy the server
/// last.
class http_server {
 public:
  /// Listens, and starts the thread.
  ///
  /// Throws: `std::invalid_argument` that names the option which is wrong;
  /// `boost::system::system_error` with the address and port where the system does not let it
  /// listen; `std::system_error` if the thread cannot be started.
  explicit http_server(http_options options = {});

  /// Ends the thread: answers that are being sent have a second to get through. Not to be called by
  /// `is_ready` or a Collectable.
  ~http_server();
  http_server(http_server const&) = delete;
  http_server& operator=(http_server const&) = delete;

  /// Shows `pool`, under its own name or under `name`: as `prometheus_collector::add`.
  void add(worker_pool const& pool);
  void add(pool_view pool, std::string name);

  /// Adds `more` to `/metrics`, after the pools, for as long as it lives. It is asked on the
  /// server's thread; should it throw, `/metrics` answers 500 with its words.
  ///
  /// Throws: `std::bad_alloc`.
  void add(std::weak_ptr<::prometheus::Collectable> more);

  /// Shows `pool` no longer. Whether it was shown.
  bool remove(worker_pool const& pool);

  /// The port that it listens on.
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Where the page is, as `http://127.0.0.1:9464/`.
  [[nodiscard]] std::string url() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace brigade
