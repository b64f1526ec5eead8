// pool_view: a pool's numbers, for those who may outlive it.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

TEST_CASE("a view shows its pool's numbers until the pool is gone", "[contract][pool_view]") {
  auto pool = std::make_unique<brigade::worker_pool>(
      brigade::pool_options{.threads = 1, .capacity = 3, .name = "seen"});
  auto const view = pool->view();
  test::blocker gate;
  REQUIRE(gate.occupy(*pool, 1));
  REQUIRE(view.metrics());
  CHECK(view.metrics()->name == "seen");
  CHECK(view.metrics()->capacity == 3);
  CHECK(view.metrics()->running_jobs == 1);
  CHECK_FALSE(view.expired());
  gate.open();
  pool->join();
  CHECK(view.metrics()->state == brigade::pool_state::stopped);
  CHECK(view.metrics()->completed == 1);
  pool.reset();
  CHECK_FALSE(view.metrics());
  CHECK(view.expired());
}

TEST_CASE("views are equal where they are of the same pool", "[contract][pool_view]") {
  brigade::worker_pool const one{{.threads = 1}};
  brigade::worker_pool const other{{.threads = 1}};
  CHECK(one.view() == one.view());
  CHECK_FALSE(one.view() == other.view());
  CHECK(brigade::pool_view{}.expired());
  CHECK_FALSE(brigade::pool_view{}.metrics());
}

TEST_CASE("a view shows a pool that is being destroyed", "[contract][pool_view]") {
  auto pool =
      std::make_unique<brigade::worker_pool>(brigade::pool_options{.threads = 1, .capacity = 3});
  auto const view = pool->view();
  test::blocker gate;
  REQUIRE(gate.occupy(*pool, 1));
  std::jthread destroyer([&] { pool.reset(); });
  CHECK(test::wait_until([&] {
    auto const now = view.metrics();
    return now && now->state == brigade::pool_state::cancelling;
  }));
  gate.open();
  CHECK(test::wait_until([&] { return view.expired(); }));
}

// Half of the readings meet a pool that is on its way out; none may outlast it.
TEST_CASE("a pool may go while others read its numbers", "[contract][pool_view]") {
  std::atomic<bool> end{false};
  std::mutex mutex;
  brigade::pool_view view;
  std::atomic<std::uint64_t> seen{0};
  auto const read = [&] {
    while (!end) {
      std::unique_lock lock(mutex);
      auto const mine = view;
      lock.unlock();
      if (auto const now = mine.metrics()) seen += now->capacity == 7 ? 1 : 1'000'000'000;
    }
  };
  std::jthread first(read);
  std::jthread second(read);
  std::uint64_t pools = 0;
  for (; pools < 200 || (seen == 0 && pools < 100'000); ++pools) {
    brigade::worker_pool pool{{.threads = 1, .capacity = 7}};
    std::lock_guard const lock(mutex);
    view = pool.view();
  }
  end = true;
  CHECK(seen > 0);
  CHECK(seen < 1'000'000'000);
}
