// SPDX-License-Identifier: BSL-1.0
#include "metrics_text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace press {
namespace {

/// Writes families one after another. A family is a HELP line, a TYPE line and its samples.
class writer {
 public:
  explicit writer(std::string_view executor) : executor_(executor) {}

  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }

  /// A sample of the pool; `label` such as `,reason="closed"` comes after the executor's.
  template <class Number>
  void pool_sample(Number value, std::string_view label = {}) {
    sample(fmt::format("executor=\"{}\"{}", executor_, label), value);
  }

  template <class Number>
  void sample(std::string_view labels, Number value) {
    fmt::format_to(std::back_inserter(text_), "{}{}{}{} {}\n", name_, labels.empty() ? "" : "{",
                   labels, labels.empty() ? "" : "}", value);
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string_view executor_;
  std::string_view name_;
  std::string text_;
};

void write_jobs(writer& out, brigade::pool_metrics const& pool) {
  out.family("brigade_jobs_admitted_total", "counter", "Jobs accepted.");
  out.pool_sample(pool.admitted);
  out.family("brigade_jobs_rejected_total", "counter", "Jobs refused: never admitted.");
  out.pool_sample(pool.rejected.queue_full, R"(,reason="queue_full")");
  out.pool_sample(pool.rejected.closed, R"(,reason="closed")");
  out.family("brigade_jobs_completed_total", "counter", "Admitted jobs that ended, by how.");
  out.pool_sample(pool.completed, R"(,outcome="ok")");
  out.pool_sample(pool.failed, R"(,outcome="error")");
  out.pool_sample(pool.cancelled, R"(,outcome="cancelled")");
  out.pool_sample(pool.expired, R"(,outcome="expired")");
  out.pool_sample(pool.shed, R"(,outcome="shed")");
  out.family("brigade_handler_errors_total", "counter",
             "Completion handlers that threw or could not be called.");
  out.pool_sample(pool.handler_errors);
}

void write_load(writer& out, brigade::pool_metrics const& pool) {
  out.family("brigade_queued_jobs", "gauge", "Jobs admitted and not yet started.");
  out.pool_sample(pool.queued_jobs);
  out.family("brigade_running_jobs", "gauge", "Jobs started and not yet finished.");
  out.pool_sample(pool.running_jobs);
  out.family("brigade_job_limit", "gauge", "The most jobs that may be queued and running.");
  out.pool_sample(pool.capacity);
  out.family("brigade_waiting_submitters", "gauge", "Submitters that wait for a slot.");
  out.pool_sample(pool.waiting);
  out.family("brigade_workers", "gauge", "Workers of the pool.");
  out.pool_sample(pool.workers);
  out.family("brigade_active_workers", "gauge", "Workers that are running jobs.");
  out.pool_sample(pool.active_workers);
  out.family("brigade_oldest_queued_job_age_seconds", "gauge",
             "How long the oldest queued job has waited.");
  out.pool_sample(std::chrono::duration<double>(pool.oldest_queued_age).count());
}

void write_state(writer& out, brigade::pool_metrics const& pool) {
  using brigade::pool_state;
  out.family("brigade_state", "gauge", "1 for the state the pool is in.");
  for (auto const state : {pool_state::running, pool_state::lame_duck, pool_state::draining,
                           pool_state::cancelling, pool_state::stopped}) {
    out.pool_sample(pool.state == state ? 1 : 0,
                    fmt::format(R"(,state="{}")", brigade::to_string(state)));
  }
}

void write_http(writer& out, traffic const& http) {
  out.family("press_http_responses_total", "counter",
             "Answers by status; 499 is a client that went away before its answer.");
  for (unsigned status = 100; status < http.answers.size(); ++status) {
    if (auto const count = http.answered(status); count != 0) {
      out.sample(fmt::format("status=\"{}\"", status), count);
    }
  }
  out.family("press_http_request_body_bytes_total", "counter", "Bytes of bodies received whole.");
  out.sample({}, http.body_bytes_received.load());
  out.family("press_http_response_body_bytes_total", "counter", "Bytes of bodies sent whole.");
  out.sample({}, http.body_bytes_sent.load());
  out.family("press_http_connections", "gauge", "Open connections.");
  out.sample({}, http.connections.load());
  out.family("press_http_accept_errors_total", "counter",
             "Connections that could not be accepted, for want of file descriptors say.");
  out.sample({}, http.accept_errors.load());
}

}  // namespace

std::string metrics_text(brigade::pool_metrics const& pool, traffic const& http,
                         std::string_view executor) {
  writer out{executor};
  write_jobs(out, pool);
  write_load(out, pool);
  write_state(out, pool);
  write_http(out, http);
  return out.take();
}

}  // namespace press
