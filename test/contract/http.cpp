// http_server: what it serves, and that no client can hold it.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/http.hpp>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;
using brigade::http_options;
using brigade::http_server;
using brigade::worker_pool;
using namespace std::chrono_literals;

namespace {

struct reply {
  int status = 0;
  std::string head;
  std::string body;

  [[nodiscard]] bool says(std::string_view words) const {
    return (head + body).find(words) != std::string::npos;
  }
};

/// One connection.
class client {
 public:
  explicit client(http_server const& server, std::string const& address = "127.0.0.1") {
    socket_.connect({asio::ip::make_address(address), server.port()});
  }

  client& send(std::string_view text) {
    asio::write(socket_, asio::buffer(text));
    return *this;
  }

  reply answer(bool of_head = false) {
    reply result;
    auto const end = asio::read_until(socket_, asio::dynamic_buffer(input_), "\r\n\r\n");
    result.head = take(end);
    result.status = std::stoi(result.head.substr(9, 3));
    auto const at = result.head.find("Content-Length: ");
    if (of_head || at == std::string::npos) return result;
    auto const length = std::stoul(result.head.substr(at + 16));
    if (input_.size() < length) {
      asio::read(socket_, asio::dynamic_buffer(input_),
                 asio::transfer_exactly(length - input_.size()));
    }
    result.body = take(length);
    return result;
  }

  reply get(std::string const& target, std::string const& more = "Host: localhost\r\n") {
    send("GET " + target + " HTTP/1.1\r\n" + more + "\r\n");
    return answer();
  }

  /// Waits for the end of what the server sends.
  bool is_closed() {
    boost::system::error_code failure;
    char byte = 0;
    asio::read(socket_, asio::buffer(&byte, 1), failure);
    return failure.failed();
  }

  /// Sends until the server has had enough.
  void send_until_closed(std::string const& text) {
    boost::system::error_code failure;
    while (!failure) asio::write(socket_, asio::buffer(text), failure);
  }

 private:
  std::string take(std::size_t length) {
    auto text = input_.substr(0, length);
    input_.erase(0, length);
    return text;
  }

  inline static asio::io_context context_;  // nothing runs it: all is synchronous
  tcp::socket socket_{context_};
  std::string input_;
};

reply get(http_server const& server, std::string const& target) {
  return client(server).get(target);
}

template <class Error, class Action>
std::string complaint(Action action) {
  try {
    action();
  } catch (Error const& error) {
    return error.what();
  }
  return {};
}

bool contains(std::string const& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("the page asks nobody but its server", "[contract][http]") {
  http_server server;
  auto const page = get(server, "/");
  CHECK(page.status == 200);
  CHECK(page.says("Content-Type: text/html; charset=utf-8"));
  CHECK(page.says("Content-Security-Policy: default-src 'none'; script-src 'sha256-"));
  CHECK_FALSE(page.head.find("unsafe") != std::string::npos);
  CHECK(page.says("X-Content-Type-Options: nosniff"));
  CHECK_FALSE(contains(page.body, "https://"));
  auto const namespaces = page.body.find("http://www.w3.org/2000/svg");
  CHECK(namespaces != std::string::npos);  // names of a format, which nothing fetches
  CHECK(get(server, "/?window=60").status == 200);
  CHECK(get(server, "http://localhost/healthz").body == "ok\n");
  CHECK(get(server, "http://localhost").body == page.body);
}

TEST_CASE("health and readiness follow the pools", "[contract][http]") {
  http_server server;
  CHECK(get(server, "/healthz").body == "ok\n");
  CHECK(get(server, "/readyz").status == 503);
  worker_pool one{{.threads = 1, .name = "one"}};
  worker_pool other{{.threads = 1, .name = "other"}};
  server.add(one);
  server.add(other);
  CHECK(get(server, "/readyz").status == 200);
  test::blocker gate;
  REQUIRE(gate.occupy(other, 1));
  other.close();
  auto const ending = get(server, "/readyz");
  CHECK(ending.status == 503);
  CHECK(ending.says("one: running"));
  CHECK(ending.says("other: draining"));
  CHECK(get(server, "/healthz").status == 200);
  CHECK(server.remove(other));
  CHECK(get(server, "/readyz").status == 200);
}

TEST_CASE("the program has a say in readiness", "[contract][http]") {
  std::atomic<bool> ready{false};
  http_server server{{.is_ready = [&] { return ready.load(); }}};
  worker_pool pool{{.threads = 1}};
  server.add(pool);
  CHECK(get(server, "/readyz").status == 503);
  CHECK(get(server, "/pools.json").says(R"("ready":false)"));
  ready = true;
  CHECK(get(server, "/readyz").status == 200);
}

TEST_CASE("the numbers are there for the page and for Prometheus", "[contract][http]") {
  http_server server{{.title = "a \"title\""}};
  worker_pool pool{{.threads = 1, .capacity = 5, .name = "seen"}};
  server.add(pool);
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post([] {}));
  auto const json = get(server, "/pools.json");
  CHECK(json.says("Content-Type: application/json"));
  CHECK(json.says(R"("title":"a \"title\"")"));
  CHECK(json.says(R"("name":"seen","state":"running")"));
  CHECK(json.says(R"("capacity":5,"queued":1,"running":1)"));
  auto const text = get(server, "/metrics");
  CHECK(text.says("Content-Type: text/plain; version=0.0.4; charset=utf-8"));
  CHECK(text.says("\nbrigade_queued_jobs{executor=\"seen\"} 1\n"));
}

TEST_CASE("other metrics of the program are served with them", "[contract][http]") {
  http_server server;
  auto registry = std::make_shared<prometheus::Registry>();
  auto& family = prometheus::BuildCounter().Name("mine_total").Help("Mine.").Register(*registry);
  family.Add({{"kind", "a"}}).Increment(3);
  server.add(std::weak_ptr<prometheus::Collectable>(registry));
  CHECK(get(server, "/metrics").says("mine_total{kind=\"a\"} 3\n"));
  registry.reset();
  CHECK_FALSE(get(server, "/metrics").says("mine_total"));
}

TEST_CASE("a source of metrics that throws is told of, and ends nothing", "[contract][http]") {
  struct broken : prometheus::Collectable {
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
      throw std::runtime_error("no numbers today");
    }
  };
  http_server server;
  auto const source = std::make_shared<broken>();
  server.add(std::weak_ptr<prometheus::Collectable>(source));
  CHECK(get(server, "/metrics").status == 500);
  CHECK(get(server, "/metrics").says("no numbers today"));
  CHECK(get(server, "/healthz").status == 200);
}

TEST_CASE("a connection serves many requests, pipelined ones too", "[contract][http]") {
  http_server server;
  client one(server);
  CHECK(one.get("/healthz").status == 200);
  CHECK(one.get("/nothing").status == 404);
  one.send(
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /pools.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  CHECK(one.answer().body == "ok\n");
  auto const head = one.answer(true);
  CHECK(head.status == 200);
  CHECK_FALSE(head.says("Content-Length: 0"));
  CHECK(one.answer().says("\"pools\":[]"));
  CHECK(one.is_closed());
}

TEST_CASE("what is no good request is told why", "[contract][http]") {
  http_server server;
  auto const ask = [&](std::string const& bytes) { return client(server).send(bytes).answer(); };
  std::string const host = "Host: localhost\r\n";
  CHECK(ask("GET /nothing HTTP/1.1\r\n" + host + "\r\n").status == 404);
  CHECK(ask("GET /nothing HTTP/1.1\r\n" + host + "\r\n").says("/pools.json"));
  CHECK(ask("DELETE / HTTP/1.1\r\n" + host + "\r\n").status == 405);
  CHECK(ask("DELETE / HTTP/1.1\r\n" + host + "\r\n").says("Allow: GET, HEAD"));
  CHECK(ask("POST / HTTP/1.1\r\n" + host + "Content-Length: 100\r\n\r\n").status == 413);
  CHECK(ask("GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n").status == 413);
  CHECK(ask("GET / HTTP/1.1\r\n\r\n").status == 400);
  CHECK(ask("GET / HTTP/1.1\r\n" + host + host + "\r\n").status == 400);
  CHECK(ask("GARBAGE\r\n\r\n").status == 400);
  CHECK(ask("GET / HTTP/9.9\r\n\r\n").status == 400);
  CHECK(ask("GET / HTTP/1.1\r\n" + host + "X: " + std::string(9'000, 'x')).status == 431);
  CHECK(ask("GET /" + std::string(20'000, 'x')).status == 431);
  CHECK(get(server, "/healthz").status == 200);
}

TEST_CASE("a name that somebody else has pointed here is not answered to", "[contract][http]") {
  http_server server{{.host_names = {"status.example"}}};
  auto const evil = client(server).get("/pools.json", "Host: evil.example\r\n");
  CHECK(evil.status == 421);
  CHECK(evil.says("evil.example"));
  CHECK(client(server).get("/healthz", "Host: status.example:80\r\n").status == 200);
  http_server open{{.address = "0.0.0.0"}};
  CHECK(client(open).get("/healthz", "Host: any.example\r\n").status == 200);
}

TEST_CASE("a client that is slow with its request is cut off", "[contract][http]") {
  http_server server{{.idle_timeout = 100ms, .read_timeout = 100ms}};
  client silent(server);
  client slow(server);
  slow.send("GET / HTTP/1.1\r\nHost: loc");
  client drips(server);
  CHECK(silent.is_closed());
  CHECK(slow.is_closed());
  drips.send_until_closed("G");
  CHECK(get(server, "/healthz").status == 200);
}

TEST_CASE("a client that does not read its answers is cut off", "[contract][http]") {
  http_server server{{.write_timeout = 100ms}};
  client greedy(server);
  greedy.send_until_closed("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(get(server, "/healthz").status == 200);
}

TEST_CASE("a thousand silent connections keep nobody out", "[contract][http]") {
  http_server server{{.max_connections = 8}};
  std::deque<client> silent;
  for (int i = 0; i != 1000; ++i) {
    silent.emplace_back(server);
    if (i % 50 == 0) CHECK(get(server, "/healthz").status == 200);
    if (silent.size() <= 100) continue;
    CHECK(silent.front().is_closed());
    silent.pop_front();
  }
  CHECK(get(server, "/healthz").status == 200);
}

TEST_CASE("an open connection that asks again and again is not the one dropped",
          "[contract][http]") {
  http_server server{{.max_connections = 4}};
  client regular(server);
  std::deque<client> silent;
  for (int i = 0; i != 50; ++i) {
    silent.emplace_back(server);
    REQUIRE(regular.get("/healthz").status == 200);
  }
}

TEST_CASE("a port that is taken, and other wrong options, are named", "[contract][http]") {
  http_server first;
  auto const taken =
      complaint<boost::system::system_error>([&] { http_server second{{.port = first.port()}}; });
  CHECK(contains(taken, "127.0.0.1 port " + std::to_string(first.port())));
  CHECK(contains(taken, "in use"));
  auto const other = complaint<boost::system::system_error>(
      [&] { http_server elsewhere{{.address = "192.0.2.1"}}; });
  CHECK(contains(other, "192.0.2.1"));
  auto const wrong = [](http_options options) {
    return complaint<std::invalid_argument>([&] { http_server server{options}; });
  };
  CHECK(contains(wrong({.address = "somewhere"}), "address: 'somewhere'"));
  CHECK(contains(wrong({.max_connections = 0}), "max_connections"));
  CHECK(contains(wrong({.idle_timeout = 0ms}), "idle_timeout"));
  CHECK(contains(wrong({.read_timeout = -1ms}), "read_timeout"));
  CHECK(contains(wrong({.write_timeout = 0ms}), "write_timeout"));
  CHECK(contains(wrong({.prometheus = {.buckets = {-1}}}), "buckets"));
}

TEST_CASE("two servers stand side by side", "[contract][http]") {
  http_server one;
  http_server other;
  worker_pool pool{{.threads = 1, .name = "shared"}};
  one.add(pool);
  other.add(pool.view(), "other name");
  CHECK(get(one, "/metrics").says("executor=\"shared\""));
  CHECK(get(other, "/metrics").says("executor=\"other name\""));
}

TEST_CASE("IPv6 is served, and the URL has its brackets", "[contract][http]") {
  boost::system::error_code failure;
  asio::io_context context;
  tcp::acceptor probe(context);
  probe.open(tcp::v6(), failure);
  if (!failure) probe.bind({asio::ip::make_address("::1"), 0}, failure);
  if (failure) return;  // this machine has no IPv6
  http_server server{{.address = "::1"}};
  CHECK(server.url() == "http://[::1]:" + std::to_string(server.port()) + "/");
  CHECK(client(server, "::1").get("/healthz", "Host: [::1]\r\n").status == 200);
}

TEST_CASE("the server ends with connections open", "[contract][http]") {
  auto server = std::make_unique<http_server>();
  client idle(*server);
  client half(*server);
  half.send("GET / HT");
  CHECK(client(*server).get("/healthz").status == 200);
  auto const begun = std::chrono::steady_clock::now();
  server.reset();
  CHECK(std::chrono::steady_clock::now() - begun < 900ms);  // its patience is for answers under way
  CHECK(idle.is_closed());
  CHECK(half.is_closed());
}

TEST_CASE("the server names a job that is stuck, for as long as it is", "[contract][http]") {
  http_server server;
  worker_pool pool{
      {.threads = 1, .stuck_after = 1ms, .on_stuck_job = [](brigade::stuck_job const&) {}}};
  server.add(pool);
  test::blocker gate;
  REQUIRE_FALSE(pool.try_post([&] { gate.wait(); }, {.name = "slow \"one\""}));
  CHECK(test::wait_until([&] {
    auto const now = get(server, "/pools.json");
    return now.says(R"("stuck":[{"name":"slow \"one\"","age":)") && now.says(R"("stuck_jobs":1)");
  }));
  gate.open();
  CHECK(test::wait_until([&] { return get(server, "/pools.json").says(R"("stuck":[])"); }));
}

TEST_CASE("the server shows a pool that ends while its workers are stuck", "[contract][http]") {
  http_server server;
  auto pool = std::make_unique<worker_pool>(brigade::pool_options{.threads = 1, .name = "stuck"});
  server.add(*pool);
  test::blocker gate;
  REQUIRE(gate.occupy(*pool, 1));
  std::jthread destroyer([&] { pool.reset(); });
  CHECK(
      test::wait_until([&] { return get(server, "/pools.json").says(R"("state":"cancelling")"); }));
  gate.open();
  CHECK(test::wait_until([&] { return get(server, "/pools.json").says(R"("pools":[])"); }));
}
