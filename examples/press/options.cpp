// SPDX-License-Identifier: BSL-1.0
#include "options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <brigade/version.hpp>
#include <cmath>
#include <cstdio>
#include <thread>

namespace press {
namespace {

using std::chrono::milliseconds;

/// A number from `least` to `most`. The help says so in the option's own words, not in CLI11's.
template <class Number>
CLI::Validator range(Number least, Number most) {
  return CLI::Range(least, most).description("");
}

/// CLI11's range lets through what compares with nothing.
CLI::Validator is_a_number() {
  auto const check = [](std::string const& text) {
    double value = 0;
    auto const good = CLI::detail::lexical_cast(text, value) && !std::isnan(value);
    return good ? std::string{} : fmt::format("Value {} is not a number", text);
  };
  return {check, ""};
}

/// An empty name would resolve to every address of the machine.
CLI::Validator is_named() {
  auto const check = [](std::string const& text) {
    return text.empty() ? "is empty; give an address or a name, 0.0.0.0 for all" : std::string{};
  };
  return {check, ""};
}

/// An option in seconds, fractions included. No time-out is longer than a day.
void add_seconds(CLI::App& app, std::string const& name, milliseconds& value,
                 std::string const& help, double least = 0.001) {
  auto const shown = fmt::format("{:g}", static_cast<double>(value.count()) / 1000);
  auto const store = [&value](double seconds) {
    value = milliseconds{static_cast<milliseconds::rep>(seconds * 1000)};
  };
  app.add_option_function<double>(name, store, help)
      ->check(range(least, 86'400.0))
      ->check(is_a_number())
      ->default_str(shown)
      ->type_name("SECONDS");
}

void add_all(CLI::App& app, options& result) {
  app.add_option("--host", result.host, "Address or name to listen on")
      ->check(is_named())
      ->capture_default_str()
      ->type_name("HOST");
  app.add_option("--port", result.port, "Port to listen on; 0 picks a free one")
      ->check(range(0, 65'535))
      ->capture_default_str()
      ->type_name("PORT");
  app.add_option("--threads", result.threads, "Workers that compress, 1 to 1024")
      ->check(range(1U, 1024U))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--capacity", result.capacity,
                 "Bodies that wait or are in work at once, 1 to 1048576")
      ->check(range(std::size_t{1}, std::size_t{1} << 20))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--max-body", result.max_body, "Largest body taken: bytes, or 512K, 8M, 1G")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->check(range(std::size_t{1}, std::size_t{1} << 32))
      ->capture_default_str()
      ->type_name("SIZE");
  app.add_option("--max-memory", result.max_memory,
                 "Most that bodies and answers may take, all together; at least --max-body")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->check(range(std::size_t{1}, std::size_t{1} << 40))
      ->capture_default_str()
      ->type_name("SIZE");
  app.add_option_function<std::int64_t>(
         "--max-wait",
         [&result](std::int64_t seconds) { result.max_wait = std::chrono::seconds{seconds}; },
         "Longest wait for a place that Prefer: wait=SECONDS is granted, 1 to 86400")
      ->check(range(1, 86'400))
      ->default_str(fmt::to_string(result.max_wait.count()))
      ->type_name("SECONDS");
  app.add_option("--network-threads", result.network_threads,
                 "Threads that serve the sockets, 1 to 64")
      ->check(range(1U, 64U))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--admin-port", result.admin_port,
                 "Port for the page that shows the service at work; 0 picks a free one")
      ->check(range(0, 65'535))
      ->type_name("PORT");
  app.add_option("--admin-host", result.admin_host, "Address to listen on for it")
      ->capture_default_str()
      ->type_name("ADDRESS");
  add_seconds(app, "--idle-timeout", result.idle_timeout,
              "How long a connection may stay open between two requests");
  add_seconds(app, "--read-timeout", result.read_timeout,
              "How long a header may take, and a pause within a body");
  add_seconds(app, "--write-timeout", result.write_timeout,
              "How long the client may pause while it reads its answer");
  add_seconds(app, "--stuck-after", result.stuck_after,
              "How long a body may be in work before that is told of");
  add_seconds(app, "--lame-duck", result.lame_duck,
              "How long requests are still taken once the service is not ready any more", 0);
  add_seconds(app, "--grace", result.grace,
              "How long half-sent bodies may go on once later requests are refused", 0);
  add_seconds(app, "--drain", result.drain, "How long what was accepted may take then", 0);
  add_seconds(app, "--cancel", result.cancel,
              "How long what is in work may still take when the rest is given up", 0);
}

/// A body must fit into the memory that there is for bodies.
void check_memory(CLI::App const& app, options& result) {
  if (result.max_memory >= result.max_body) return;
  if (app.count("--max-memory") != 0) {
    throw CLI::ValidationError{"--max-memory",
                               fmt::format("{} is less than --max-body {}; give at least that",
                                           result.max_memory, result.max_body)};
  }
  result.max_memory = result.max_body;
}

}  // namespace

std::variant<options, exit_status> parse_command_line(int argc, char** argv) {
  options result;
  result.threads = std::clamp(std::thread::hardware_concurrency(), 1U, 1024U);
  CLI::App app{
      "press: compresses what it is sent. POST /compress?level=1..19 answers with one zstd frame;\n"
      "GET /healthz, /readyz and /metrics tell how it is doing. SIGINT or SIGTERM ends it once "
      "every\n"
      "accepted request is answered; a second one cancels those that wait, a third one kills it.\n"
      "SIGUSR1 prints what it is doing.",
      "press"};
  app.set_version_flag("--version",
                       fmt::format("press {}.{}.{}", BRIGADE_VERSION_MAJOR, BRIGADE_VERSION_MINOR,
                                   BRIGADE_VERSION_PATCH),
                       "Print the version and exit");
  app.footer(
      "Exit status: 0 ended, everything accepted was answered with its result; 1 could not\n"
      "start, or accepted work was cancelled, abandoned or cut off; 2 wrong command line.");
  add_all(app, result);
  try {
    app.parse(argc, argv);
    check_memory(app, result);
  } catch (CLI::ParseError const& error) {
    if (error.get_exit_code() == 0) return exit_status{app.exit(error)};
    std::string line = error.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    fmt::print(stderr, "press: {} (press --help lists the options)\n", line);
    return exit_status{2};
  }
  return result;
}

}  // namespace press
