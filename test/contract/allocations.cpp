// Memory: what takes none, and what takes one block.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/allocation_counter.hpp"
#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;

namespace {

// As large as a callable may be that travels without heap memory.
struct job48 {
  std::atomic<int>* ran;
  std::array<char, 40> ballast{};
  void operator()() const { ran->fetch_add(1); }
};
static_assert(sizeof(job48) == 48);

// Counts what `action` allocates, on whatever thread. Catch's own macros allocate: none inside.
template <class Action>
std::size_t allocations_of(Action action) {
  test::allocation_count const counted;
  action();
  return counted.so_far();
}

// Lets every worker run a few jobs, asleep and awake, so that all that is made once is made.
void warm_up(brigade::worker_pool& pool, unsigned workers) {
  for (int round = 0; round != 20; ++round) {
    test::blocker gate;
    REQUIRE(gate.occupy(pool, workers));
    gate.open();
    REQUIRE(test::wait_until([&] { return pool.metrics().active_workers == 0; }));
  }
}

}  // namespace

TEST_CASE("the counter counts", "[contract][allocations]") {
  // Calls, not a new expression: an optimizer may leave that out.
  CHECK(allocations_of([] { ::operator delete(::operator new(40)); }) == 1);
  // As Asio does; to a place that the optimizer has to believe in.
  void* volatile memory = nullptr;
  CHECK(allocations_of([&] { memory = std::aligned_alloc(64, 64); }) == 1);
  std::free(memory);
  CHECK(allocations_of([] {}) == 0);
}

TEST_CASE("posting a callable of 48 bytes takes no memory, whether it is timed or not",
          "[contract][allocations]") {
  constexpr int jobs = 10'000;
  auto const mode = GENERATE(brigade::timing::off, brigade::timing::sampled, brigade::timing::full);
  for (unsigned const workers : {1U, 4U}) {
    brigade::worker_pool pool{{.threads = workers, .capacity = 64, .timing = mode}};
    warm_up(pool, workers);
    std::atomic<int> ran{0};
    CHECK(allocations_of([&] {
            for (int admitted = 0; admitted != jobs;) admitted += !pool.try_post(job48{&ran});
            while (ran != jobs) std::this_thread::yield();
          }) == 0);
  }
}

TEST_CASE("a blocking post of a small callable takes no memory where there is room",
          "[contract][allocations]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 16}};
  std::atomic<std::size_t> ran{0};
  std::size_t posted = 0;
  auto const post_some = [&] {
    for (std::size_t i = 0; i != 16; ++i) {
      posted += !pool.post_for([&ran] { ran.fetch_add(1); }, std::chrono::hours{1});
    }
  };
  post_some();  // the thread's own place, and the workers' memory
  REQUIRE(test::wait_until([&] { return pool.metrics().completed == posted; }));
  CHECK(allocations_of(post_some) == 0);
  CHECK(posted == 32);
  CHECK(test::wait_until([&] { return ran == posted; }));
}

TEST_CASE("waking a sleeping worker takes no memory", "[contract][allocations]") {
  constexpr int jobs = 500;
  brigade::worker_pool pool{{.threads = 2,
                             .linger = std::chrono::microseconds{0},
                             .timing = brigade::timing::off}};  // or metrics() takes some
  warm_up(pool, 2);
  std::atomic<int> ran{0};
  CHECK(allocations_of([&] {
          for (int i = 1; i <= jobs; ++i) {
            static_cast<void>(pool.try_post(job48{&ran}));
            while (ran != i || pool.metrics().active_workers != 0) std::this_thread::yield();
          }
        }) == 0);
}

TEST_CASE("posting from a worker takes no memory", "[contract][allocations]") {
  constexpr int jobs = 1'000;
  brigade::worker_pool pool{{.threads = 2, .capacity = 64}};
  warm_up(pool, 2);
  std::atomic<int> ran{0};
  auto const post_all = [&] {
    for (int i = 0; i != jobs;) {
      i += !pool.try_post(job48{&ran});
      while (i - ran > 30) std::this_thread::yield();
    }
  };
  CHECK(allocations_of([&] {
          static_cast<void>(pool.try_post([&post_all] { post_all(); }));
          while (ran != jobs) std::this_thread::yield();
        }) == 0);
}

TEST_CASE("posting in bulk takes no memory", "[contract][allocations]") {
  brigade::worker_pool pool{
      {.threads = 2, .capacity = 128, .timing = brigade::timing::off}};  // as above
  warm_up(pool, 2);
  std::atomic<int> ran{0};
  std::vector const jobs(100, job48{&ran});
  CHECK(allocations_of([&] {
          for (int round = 1; round <= 20; ++round) {
            static_cast<void>(pool.try_post_bulk(jobs.begin(), jobs.end()));
            while (ran != round * 100 || pool.metrics().running_jobs != 0) {
              std::this_thread::yield();
            }
          }
        }) == 0);
}

TEST_CASE("a refusal takes no memory", "[contract][allocations]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  warm_up(pool, 1);
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::atomic<int> ran{0};
  std::array<char, 1'000> large{};
  int refused = 0;
  CHECK(allocations_of([&] {
          for (int i = 0; i != 1'000; ++i) {
            refused += pool.try_post(job48{&ran}) == errc::queue_full;
            refused += pool.try_post([large] { static_cast<void>(large); }) == errc::queue_full;
          }
        }) == 0);
  CHECK(refused == 2'000);
  pool.close();
  CHECK(allocations_of([&] { refused += pool.try_post(job48{&ran}) == errc::closed; }) == 0);
  CHECK(refused == 2'001);
}

TEST_CASE("posting a larger callable takes one block", "[contract][allocations]") {
  constexpr int jobs = 100;
  brigade::worker_pool pool{{.threads = 1, .capacity = jobs}};
  warm_up(pool, 1);
  std::atomic<int> ran{0};
  std::array<char, 41> ballast{};
  CHECK(allocations_of([&] {
          for (int i = 0; i != jobs; ++i) {
            static_cast<void>(pool.try_post([&ran, ballast] {
              static_cast<void>(ballast);
              ran.fetch_add(1);
            }));
          }
          while (ran != jobs) std::this_thread::yield();
        }) == jobs);
}

TEST_CASE("async_submit with a plain handler takes at most one block", "[contract][allocations]") {
  constexpr int jobs = 1'000;
  brigade::worker_pool pool{{.threads = 2, .capacity = 64}};
  warm_up(pool, 2);
  std::atomic<int> told{0};
  auto const submit_all = [&](auto const& job, auto const& handler) {
    told = 0;
    return allocations_of([&] {
      for (int i = 0; i != jobs; ++i) {
        pool.async_submit(job, handler);
        while (i - told > 30) std::this_thread::yield();
      }
      while (told != jobs) std::this_thread::yield();
    });
  };
  auto const tell = [&](std::exception_ptr, auto&&...) { told.fetch_add(1); };
  std::array<char, 200> const ballast{};
  auto const tell_much = [&told, ballast](std::exception_ptr, auto&&...) {
    static_cast<void>(ballast);
    told.fetch_add(1);
  };
  CHECK(submit_all([] {}, tell) == 0);  // both fit where try_post's callable would
  CHECK(submit_all([] { return 1; }, tell) == 0);
  CHECK(submit_all([] {}, tell_much) <= jobs);
  CHECK(submit_all([ballast] { return ballast[0]; }, tell) <= jobs);
  CHECK(submit_all([ballast] { return ballast; }, tell_much) <= jobs);
}

TEST_CASE("jobs that a coroutine awaits on another io_context take no memory in the long run",
          "[contract][allocations]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
  asio::io_context home(1);
  constexpr int jobs = 1'000;
  std::size_t taken = jobs;
  auto const await_jobs = [&]() -> asio::awaitable<void> {
    auto const job = [] { return 1; };
    for (int i = 0; i != jobs; ++i) co_await pool.async_submit(job, asio::use_awaitable);
    test::allocation_count const counted;
    for (int i = 0; i != jobs; ++i) co_await pool.async_submit(job, asio::use_awaitable);
    taken = counted.so_far();
  };
  asio::co_spawn(home, await_jobs, asio::detached);
  home.run();
  CHECK(taken < jobs / 10);
}

TEST_CASE("telling a handler of a refusal takes at most one block, and none for the exception",
          "[contract][allocations]") {
  constexpr int jobs = 30;
  brigade::worker_pool pool{{.threads = 2, .capacity = 1}};
  warm_up(pool, 1);
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  std::atomic<int> told{0};
  std::atomic<int> wrong{0};
  auto const submit_all = [&] {
    told = 0;
    for (int i = 0; i != jobs; ++i) {
      pool.async_submit([] {},
                        [&](std::exception_ptr failure) {
                          if (brigade::to_error_code(failure) != errc::queue_full)
                            wrong.fetch_add(1);
                          told.fetch_add(1);
                        });
    }
    while (told != jobs) std::this_thread::yield();
  };
  submit_all();
  CHECK(allocations_of(submit_all) <= jobs);
  CHECK(wrong == 0);
}

TEST_CASE("reading and copying a verdict's exception takes no memory", "[contract][allocations]") {
  brigade::worker_pool pool{{.threads = 1}};
  warm_up(pool, 1);
  pool.close();
  std::exception_ptr verdict;
  asio::io_context context;
  pool.async_submit(
      [] {}, asio::bind_executor(context, [&](std::exception_ptr failure) { verdict = failure; }));
  context.run();
  REQUIRE(verdict != nullptr);
  bool right = true;
  CHECK(allocations_of([&] {
          for (int i = 0; i != 1'000; ++i) {
            auto const copy = verdict;
            right = right && brigade::to_error_code(copy) == errc::closed;
          }
        }) == 0);
  CHECK(right);
}

TEST_CASE("a snapshot with times takes a few blocks", "[contract][allocations]") {
  brigade::worker_pool pool{{.threads = 2}};
  warm_up(pool, 2);
  std::uint64_t timed = 0;
  // The busy times; each histogram, again where the second worker has longer ones.
  CHECK(allocations_of([&] {
          for (int i = 0; i != 100; ++i) timed += pool.metrics().run_time.count();
        }) <= 100 * 5);
  CHECK(timed > 0);
}

TEST_CASE("a snapshot without times takes no memory", "[contract][allocations]") {
  brigade::worker_pool pool{{.threads = 2, .timing = brigade::timing::off}};
  warm_up(pool, 2);
  std::uint64_t completed = 0;
  CHECK(allocations_of([&] {
          for (int i = 0; i != 100; ++i) completed = pool.metrics().completed;
        }) == 0);
  CHECK(completed == 40);
}
