// press: the numbers of the pool and of the HTTP side, for Prometheus.
//
// Thread safety: everything from any thread.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <brigade/prometheus.hpp>
#include <brigade/worker_pool.hpp>
#include <memory>
#include <string>
#include <vector>

#include "memory_budget.hpp"
#include "traffic.hpp"

namespace press {

/// What the HTTP side counts, as Prometheus wants it.
class traffic_metrics final : public prometheus::Collectable {
 public:
  traffic_metrics(traffic const& http, memory_budget const& memory)
      : http_(http), memory_(memory) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  traffic const& http_;
  memory_budget const& memory_;
};

class metrics {
 public:
  metrics(brigade::worker_pool const& pool, traffic const& http, memory_budget const& memory);

  /// All of it in the text format, version 0.0.4.
  [[nodiscard]] std::string text() const;

  /// The HTTP side alone, for a server that has the pool's numbers already.
  [[nodiscard]] std::shared_ptr<traffic_metrics> http() const { return http_; }

 private:
  brigade::prometheus_collector pools_;
  std::shared_ptr<traffic_metrics> http_;
};

}  // namespace press
