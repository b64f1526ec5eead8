// press: what the command line can set.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace press {

struct options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;                ///< 0: the system picks one
  unsigned threads = 0;                     ///< workers; 0: as many as the machine has processors
  std::size_t capacity = 64;                ///< bodies waiting or in work at once
  std::size_t max_body = 16 * 1024 * 1024;  ///< bytes
  std::size_t max_memory = 1024 * 1024 * 1024;  ///< bytes of bodies and answers, all together
  std::chrono::seconds max_wait{60};            ///< the longest that a client may wait for its turn
  unsigned network_threads = 1;
  std::string admin_host = "127.0.0.1";     ///< an address; for the page and the metrics
  std::optional<std::uint16_t> admin_port;  ///< 0: the system picks one; none: no page

  std::chrono::milliseconds idle_timeout{30'000};   ///< between two requests
  std::chrono::milliseconds read_timeout{10'000};   ///< a whole header; a pause within a body
  std::chrono::milliseconds write_timeout{30'000};  ///< a pause within an answer
  std::chrono::milliseconds stuck_after{60'000};    ///< a job that compresses for longer is told of

  std::chrono::milliseconds lame_duck{0};   ///< not ready any more, but taking requests
  std::chrono::milliseconds grace{5'000};   ///< for half-sent bodies, once requests are refused
  std::chrono::milliseconds drain{20'000};  ///< for what was accepted
  std::chrono::milliseconds cancel{3'000};  ///< for what is in work when the rest is given up
};

/// The process is to end with this status; what there was to say has been said.
struct exit_status {
  int value = 0;
};

/// Reads the command line. `--help` and `--version` print and end with 0; anything wrong prints one
/// line on stderr and ends with 2.
std::variant<options, exit_status> parse_command_line(int argc, char** argv);

}  // namespace press
