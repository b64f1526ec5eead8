// SPDX-License-Identifier: BSL-1.0
#include "content.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "page.hpp"
#include "pools_json.hpp"

namespace brigade::detail {

namespace {

/// The path of a target such as `/metrics?x=1`, or `http://host/metrics` as proxies are asked.
std::string_view path_of(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (target.starts_with(scheme)) {
    auto const slash = target.find('/', scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  return target.substr(0, target.find('?'));
}

}  // namespace

http_answer http_refusal(unsigned status, std::string body) {
  http_answer answer;
  answer.status = status;
  answer.body = std::move(body);
  answer.body += '\n';
  return answer;
}

http_content::http_content(http_options const& options)
    : title_(options.title), is_ready_(options.is_ready), pools_(options.prometheus) {}

void http_content::add(std::weak_ptr<::prometheus::Collectable> more) {
  std::lock_guard const lock(mutex_);
  std::erase_if(more_, [](auto const& old) { return old.expired(); });
  more_.push_back(std::move(more));
}

http_answer http_content::get(std::string_view target) const try {
  auto const path = path_of(target);
  if (path == "/") {
    return {.content_type = "text/html; charset=utf-8",
            .body = std::string(page_html()),
            .policy = page_policy()};
  }
  if (path == "/pools.json") {
    auto const pools = pools_.read();
    return {.content_type = "application/json", .body = pools_json(title_, is_ready(pools), pools)};
  }
  if (path == "/metrics") {
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_text()};
  }
  if (path == "/healthz") return {.body = "ok\n"};
  if (path == "/readyz") return readiness();
  return http_refusal(404, "not found; there are /, /pools.json, /metrics, /healthz and /readyz");
} catch (std::exception const& error) {
  return http_refusal(500, error.what());
}

std::string http_content::metrics_text() const {
  auto families = pools_.Collect();
  std::unique_lock lock(mutex_);
  auto const more = more_;
  lock.unlock();
  for (auto const& weak : more) {
    if (auto const source = weak.lock()) {
      std::ranges::move(source->Collect(), std::back_inserter(families));
    }
  }
  return ::prometheus::TextSerializer{}.Serialize(families);
}

bool http_content::is_ready(std::vector<pool_reading> const& pools) const {
  auto const running = [](auto const& pool) { return pool.metrics.state == pool_state::running; };
  return !pools.empty() && std::ranges::all_of(pools, running) && (!is_ready_ || is_ready_());
}

http_answer http_content::readiness() const {
  auto const pools = pools_.read();
  if (is_ready(pools)) return {.body = "ok\n"};
  std::string why = "not ready";
  for (auto const& pool : pools) {
    fmt::format_to(std::back_inserter(why), "; {}: {}", pool.executor,
                   to_string(pool.metrics.state));
  }
  if (pools.empty()) why += "; there is no pool";
  return http_refusal(503, std::move(why));
}

}  // namespace brigade::detail
