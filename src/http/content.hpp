// What the HTTP server has to say: from a method and a target to a status and a text.
//
// Thread safety: everything from any thread.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <brigade/http.hpp>
#include <brigade/prometheus.hpp>

namespace brigade::detail {

struct http_answer {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body{};
  /// Where it is not empty, the answer's Content-Security-Policy.
  std::string_view policy{};
};

/// One line that says what is wrong.
http_answer http_refusal(unsigned status, std::string body);

class http_content {
 public:
  explicit http_content(http_options const& options);

  /// The answer to `GET target`.
  [[nodiscard]] http_answer get(std::string_view target) const;

  prometheus_collector& pools() noexcept { return pools_; }
  void add(std::weak_ptr<::prometheus::Collectable> more);

 private:
  [[nodiscard]] std::string metrics_text() const;
  [[nodiscard]] http_answer readiness() const;
  [[nodiscard]] bool is_ready(std::vector<pool_reading> const& pools) const;

  std::string title_;
  std::function<bool()> is_ready_;
  prometheus_collector pools_;
  mutable std::mutex mutex_;  // guards more_
  std::vector<std::weak_ptr<::prometheus::Collectable>> more_;
};

}  // namespace brigade::detail
