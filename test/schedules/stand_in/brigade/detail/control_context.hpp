// The control strand as one thread of a world under control that runs what it is given.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/execution.hpp>

#include "schedules/world.hpp"

namespace brigade::detail {

class control_strand {
 public:
  class task {
   public:
    virtual ~task() = default;
    virtual void run() = 0;
  };
  using queue = test::schedules::mailbox<std::unique_ptr<task>>;

  explicit control_strand(queue& to) noexcept : to_(&to) {}

  template <class F>
  void execute(F f) const {
    struct one final : task {
      explicit one(F&& g) : f(std::move(g)) {}
      void run() override { std::move(f)(); }
      F f;
    };
    to_->give(std::make_unique<one>(std::move(f)));
  }
  friend bool operator==(control_strand const&, control_strand const&) noexcept = default;
  static constexpr boost::asio::execution::blocking_t query(
      boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }

 private:
  queue* to_;
};

/// Where the current world's strand is; set by who makes the world.
struct control_context_of_world {
  control_strand::queue* strand = nullptr;
  [[nodiscard]] control_strand get_executor() const noexcept { return control_strand(*strand); }
};
inline control_context_of_world& control_context() {
  static control_context_of_world one;
  return one;
}

}  // namespace brigade::detail
