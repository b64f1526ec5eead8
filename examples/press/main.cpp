// press: an HTTP service that compresses what it is sent with zstd, on a brigade::worker_pool.
//
//   press --port 8080 &
//   curl --data-binary @README.md 'http://127.0.0.1:8080/compress?level=19' | zstd -d
//
// Two sets of threads: one or two run an io_context with the sockets and never compress; the pool's
// workers compress and never see a socket. A full pool therefore refuses at once.
// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <brigade/http.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>

#include "ending.hpp"
#include "listener.hpp"
#include "network.hpp"
#include "options.hpp"
#include "service.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Blocked, the signals that end the service wait for a thread that takes them. Threads inherit
/// this, so that only the main thread, which unblocks them last of all, is ever interrupted.
void mask_signals(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(how, &set, nullptr);
}

struct unknown_host : std::runtime_error {
  using runtime_error::runtime_error;
};

tcp::endpoint resolve(asio::io_context& context, press::options const& settings) {
  boost::system::error_code failure;
  auto const found = tcp::resolver{context}.resolve(
      settings.host, std::to_string(settings.port),
      tcp::resolver::passive | tcp::resolver::numeric_service, failure);
  if (failure || found.empty()) {
    throw unknown_host{fmt::format("--host {}: {}", settings.host, failure.message())};
  }
  return *found.begin();
}

std::string url_of(tcp::endpoint const& where) {
  auto const address = where.address().to_string();
  auto const host = where.address().is_v6() ? fmt::format("[{}]", address) : address;
  return fmt::format("http://{}:{}", host, where.port());
}

brigade::http_options admin_options(press::service& service) {
  return {.address = service.settings.admin_host,
          .port = *service.settings.admin_port,
          .title = "press",
          .is_ready = [&service] { return service.current() == press::phase::serving; }};
}

/// The page and the metrics on a port of their own, which stays open until the very end.
std::unique_ptr<brigade::http_server> open_admin_port(press::service& service) {
  if (!service.settings.admin_port) return nullptr;
  try {
    auto admin = std::make_unique<brigade::http_server>(admin_options(service));
    admin->add(service.pool);
    admin->add(service.numbers.http());
    return admin;
  } catch (std::invalid_argument const&) {
    throw unknown_host{
        fmt::format("--admin-host {}: not an IP address", service.settings.admin_host)};
  } catch (boost::system::system_error const& error) {
    throw std::runtime_error{fmt::format("cannot listen on {} port {} for the admin page: {}",
                                         service.settings.admin_host, *service.settings.admin_port,
                                         error.code().message())};
  }
}

int serve(press::options const& settings) {
  press::network network{settings.network_threads};
  asio::signal_set signals{network.control(), SIGINT, SIGTERM, SIGUSR1};
  auto const where = resolve(network.control(), settings);
  press::service service{network.control().get_executor(), settings};
  press::listener listener{service, network, where};
  auto const admin = open_admin_port(service);

  int status = 1;
  auto const on_end = [&status](std::exception_ptr failure, int result) {
    if (failure) std::rethrow_exception(failure);
    status = result;
  };
  asio::co_spawn(service.control, press::end_on_signal(service, listener, signals), on_end);
  asio::co_spawn(service.control, listener.run(), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  fmt::print("press listening on {}\n", url_of(listener.local_endpoint()));
  if (admin) fmt::print("press admin page on {}\n", admin->url());
  std::fflush(stdout);

  network.start_others();
  mask_signals(SIG_UNBLOCK);
  network.serve();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  mask_signals(SIG_BLOCK);  // one that comes this early is handled once there is somebody to do it
  std::signal(SIGPIPE, SIG_IGN);
  auto const parsed = press::parse_command_line(argc, argv);
  if (auto const* const end = std::get_if<press::exit_status>(&parsed)) return end->value;
  auto const& settings = std::get<press::options>(parsed);
  try {
    return serve(settings);
  } catch (unknown_host const& error) {
    fmt::print(stderr, "press: {}\n", error.what());
    return 2;
  } catch (boost::system::system_error const& error) {
    fmt::print(stderr, "press: cannot listen on {} port {}: {}\n", settings.host, settings.port,
               error.code().message());
  } catch (std::exception const& error) {
    fmt::print(stderr, "press: {}\n", error.what());
  }
  return 1;
}
