// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/control_context.hpp>

#include <thread>

#include <boost/asio/executor_work_guard.hpp>

#include <brigade/detail/report.hpp>
#include <brigade/detail/thread_setup.hpp>

namespace brigade::detail {

namespace {

void run_for_ever(boost::asio::io_context& context) {
  name_this_thread("brigade-control");
  auto const guard = boost::asio::make_work_guard(context);
  for (;;) {
    try {
      context.run();
      return;
    } catch (...) {
      print_error("brigade", "a handler threw", std::current_exception());
    }
  }
}

boost::asio::io_context& start() {
  // Never destroyed: pools and handlers of static storage may still use it while the process ends.
  auto* const context = new boost::asio::io_context{1};
  try {
    std::thread{[context] { run_for_ever(*context); }}.detach();
  } catch (...) {
    delete context;
    throw;
  }
  return *context;
}

}  // namespace

boost::asio::io_context& control_context() {
  static boost::asio::io_context& context = start();
  return context;
}

}  // namespace brigade::detail
