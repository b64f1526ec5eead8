// SPDX-License-Identifier: BSL-1.0
#include "network.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

namespace press {
namespace {

/// Runs `lane` until it has nothing left to do. A handler that throws does not end it.
void run(asio::io_context& lane) {
  for (;;) {
    try {
      lane.run();
      return;
    } catch (std::exception const& error) {
      fmt::print(stderr, "press: {}\n", error.what());
    }
  }
}

}  // namespace

network::network(unsigned threads) {
  for (unsigned i = 0; i < threads; ++i) lanes_.emplace_back(1);
}

network::~network() {
  for (auto& lane : lanes_) lane.stop();  // for those that an exception has kept from `serve()`
}

asio::any_io_executor network::next() { return lanes_[turn_++ % lanes_.size()].get_executor(); }

void network::start_others() {
  for (std::size_t i = 1; i < lanes_.size(); ++i) {
    kept_open_.push_back(asio::make_work_guard(lanes_[i]));
    threads_.emplace_back([&lane = lanes_[i]] { run(lane); });
  }
}

void network::serve() {
  run(control());
  kept_open_.clear();
  threads_.clear();  // joins
}

}  // namespace press
