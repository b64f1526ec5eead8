// Who frees a core waits for the calls that other threads are in.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <memory>
#include <thread>

#include <brigade/detail/caller_guard.hpp>

#include "support/catch.hpp"

using brigade::detail::caller_guard;

namespace {

struct core : std::enable_shared_from_this<core> {};

}  // namespace

TEST_CASE("a call of another thread is waited for", "[unit][caller_guard]") {
  auto const called = std::make_shared<core>();
  std::atomic<bool> inside{false};
  std::atomic<bool> freeing{false};
  std::atomic<bool> about_to_leave{false};
  std::thread caller([&] {
    caller_guard const guard(*called);
    inside = true;
    inside.notify_all();
    freeing.wait(false);
    for (int turns = 0; turns != 1000; ++turns) std::this_thread::yield();
    about_to_leave = true;
  });
  inside.wait(false);
  CHECK(called.use_count() == 1);

  auto const other = std::make_shared<core>();
  caller_guard::wait_for_others(other.get());
  CHECK_FALSE(about_to_leave);

  freeing = true;
  freeing.notify_all();
  caller_guard::wait_for_others(called.get());
  CHECK(about_to_leave);
  caller.join();
}

TEST_CASE("a call within another call's user code counts itself", "[unit][caller_guard]") {
  auto const outer = std::make_shared<core>();
  auto const inner = std::make_shared<core>();
  {
    caller_guard const first(*outer);
    CHECK(outer.use_count() == 1);
    caller_guard const second(*inner);
    CHECK(inner.use_count() == 2);
  }
  CHECK(inner.use_count() == 1);
  caller_guard const again(*inner);
  CHECK(inner.use_count() == 1);
}

TEST_CASE("a thread's own call is not waited for", "[unit][caller_guard]") {
  auto const called = std::make_shared<core>();
  caller_guard const guard(*called);
  caller_guard::wait_for_others(called.get());
  SUCCEED();
}
