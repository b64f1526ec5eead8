// SPDX-License-Identifier: BSL-1.0
#include "metrics.hpp"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>

namespace press {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

template <class Number>
MetricFamily family_of_one(MetricType type, char const* name, char const* help, Number value) {
  ClientMetric sample;
  auto const number = static_cast<double>(value);
  (type == MetricType::Counter ? sample.counter.value : sample.gauge.value) = number;
  return {name, help, type, {sample}};
}

MetricFamily answers_by_status(traffic const& http) {
  MetricFamily family{"press_http_responses_total",
                      "Answers by status; 499 is a client that went away before its answer.",
                      MetricType::Counter,
                      {}};
  for (unsigned status = 100; status < http.answers.size(); ++status) {
    auto const count = http.answered(status);
    if (count == 0) continue;
    ClientMetric sample;
    sample.label = {{"status", fmt::to_string(status)}};
    sample.counter.value = static_cast<double>(count);
    family.metric.push_back(std::move(sample));
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> traffic_metrics::Collect() const {
  return {
      answers_by_status(http_),
      family_of_one(MetricType::Counter, "press_http_request_body_bytes_total",
                    "Bytes of bodies received whole.", http_.body_bytes_received.load()),
      family_of_one(MetricType::Counter, "press_http_response_body_bytes_total",
                    "Bytes of bodies sent whole.", http_.body_bytes_sent.load()),
      family_of_one(MetricType::Gauge, "press_http_connections", "Open connections.",
                    http_.connections.load()),
      family_of_one(MetricType::Gauge, "press_http_held_bytes",
                    "Bytes of bodies and answers on their way or in work.", memory_.held()),
      family_of_one(MetricType::Counter, "press_http_accept_errors_total",
                    "Connections that could not be accepted, for want of file descriptors say.",
                    http_.accept_errors.load()),
  };
}

metrics::metrics(brigade::worker_pool const& pool, traffic const& http, memory_budget const& memory)
    : http_(std::make_shared<traffic_metrics>(http, memory)) {
  pools_.add(pool);
}

std::string metrics::text() const {
  auto families = pools_.Collect();
  std::ranges::move(http_->Collect(), std::back_inserter(families));
  return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace press
