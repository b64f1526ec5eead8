// A pool on somebody else's threads, and which of the two ends first.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using brigade::errc;
using brigade::to_error_code;

namespace {

// A host with threads, which run it until told not to.
class running_host {
 public:
  explicit running_host(unsigned threads) : work_(asio::make_work_guard(context)) {
    for (unsigned i = 0; i != threads; ++i) threads_.emplace_back([this] { context.run(); });
  }
  ~running_host() {
    work_.reset();
    for (auto& thread : threads_) thread.join();
  }

  asio::io_context context;

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
};

/// Of a host, and counts what it is given: as the continuation of the handler that gives it, or not.
struct counting_executor {
  struct given {
    std::atomic<int> continuations{0};
    std::atomic<int> others{0};
  };

  asio::io_context::executor_type inner;
  given* counts;
  bool continues = false;

  template <class F>
  void execute(F&& function) const {
    ++(continues ? counts->continuations : counts->others);
    inner.execute(std::forward<F>(function));
  }
  [[nodiscard]] counting_executor require(asio::execution::blocking_t::never_t never) const {
    return {asio::require(inner, never), counts, continues};
  }
  [[nodiscard]] counting_executor prefer(asio::execution::relationship_t::continuation_t) const {
    return {inner, counts, true};
  }
  [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const {
    return inner.context();
  }
  bool operator==(counting_executor const&) const noexcept = default;
};

// How many jobs ran at once, at the most.
class concurrency {
 public:
  void enter() {
    auto const now = inside_.fetch_add(1) + 1;
    auto seen = most_.load();
    while (seen < now && !most_.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();
    inside_.fetch_sub(1);
    entered_.fetch_add(1);
  }
  [[nodiscard]] int most() const { return most_; }
  [[nodiscard]] int entered() const { return entered_; }

 private:
  std::atomic<int> inside_{0};
  std::atomic<int> most_{0};
  std::atomic<int> entered_{0};
};

struct tally {
  std::atomic<int> aborted{0};
  std::atomic<int> good{0};
  std::atomic<int> other{0};
};

auto into(tally& told) {
  return [&told](std::exception_ptr failure) {
    auto const why = to_error_code(failure);
    (!why                                    ? told.good
     : why == asio::error::operation_aborted ? told.aborted
                                             : told.other)
        .fetch_add(1);
  };
}

asio::awaitable<void> sleep_for_ever() {
  asio::steady_timer never(co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::use_awaitable);
}

// Submits 2'000 jobs of each kind and waits for their handlers.
void check_work_on(asio::any_io_executor host, unsigned threads) {
  constexpr int jobs = 2'000;
  concurrency seen;
  tally told;
  brigade::worker_pool pool{host, {.threads = threads, .capacity = 2 * jobs}};
  auto const function = [&] { seen.enter(); };
  auto const stoppable = [&](std::stop_token) { seen.enter(); };
  for (int i = 0; i != jobs; ++i) {
    pool.async_submit(function, into(told));
    pool.async_submit(stoppable, into(told));
  }
  CHECK(test::wait_until([&] { return told.good == 2 * jobs; }));
  CHECK(seen.entered() == 2 * jobs);
  CHECK(seen.most() <= static_cast<int>(threads));
  CHECK(told.aborted + told.other == 0);
  auto const coroutine = [&]() -> asio::awaitable<int> {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return 3;
  };
  CHECK(pool.async_submit(coroutine, asio::use_future).get() == 3);
  pool.join();
  CHECK(pool.state() == brigade::pool_state::stopped);
  CHECK(pool.metrics().completed == 2 * jobs + 1);
}

}  // namespace

TEST_CASE("a pool works on a host io_context, at most `threads` jobs at once",
          "[contract][host_mode]") {
  auto const host_threads = GENERATE(1U, 2U, 3U);
  auto const pool_threads = GENERATE(1U, 2U);
  running_host host(host_threads);
  check_work_on(host.context.get_executor(), pool_threads);
}

TEST_CASE("a pool works on a strand of its host, one job at a time", "[contract][host_mode]") {
  running_host host(3);
  auto strand = asio::make_strand(host.context);
  check_work_on(strand, 2);
  brigade::worker_pool pool{strand, {.threads = 4, .capacity = 1'001}};
  concurrency seen;
  for (int i = 0; i != 1'000; ++i) CHECK_FALSE(pool.try_post([&] { seen.enter(); }));
  CHECK(pool.async_submit([&] { return strand.running_in_this_thread(); }, asio::use_future).get());
  pool.join();
  CHECK(seen.entered() == 1'000);
  CHECK(seen.most() == 1);
}

// Asio leaves a continuation to the thread that gave it, and wakes no other one for it. A host's thread
// may be in run_one(), or leave run() with an exception, and not come back.
TEST_CASE("a worker that goes on after its turn asks for any of the host's threads",
          "[contract][host_mode]") {
  asio::io_context context;
  counting_executor::given given;
  brigade::worker_pool pool{counting_executor{context.get_executor(), &given},
                            {.threads = 1, .capacity = 100, .turn_jobs = 10}};
  int ran = 0;
  for (int i = 0; i != 95; ++i) REQUIRE_FALSE(pool.try_post([&] { ++ran; }));
  context.run();
  CHECK(ran == 95);
  CHECK(given.others == 10);
  CHECK(given.continuations == 0);
}

TEST_CASE("a pool works on an asio::thread_pool", "[contract][host_mode]") {
  asio::thread_pool host(3);
  check_work_on(host.get_executor(), 2);
  host.join();
}

TEST_CASE("nothing runs before the host does, and the host ends when the work does",
          "[contract][host_mode]") {
  asio::io_context host;
  brigade::worker_pool pool{host.get_executor(), {.threads = 2, .capacity = 8}};
  int ran = 0;
  tally told;
  for (int i = 0; i != 4; ++i) pool.async_submit([&] { ++ran; }, into(told));
  CHECK(ran == 0);
  CHECK(pool.metrics().queued_jobs == 4);
  host.run();
  CHECK(ran == 4);
  CHECK(told.good == 4);
  host.restart();  // the next round
  CHECK_FALSE(pool.try_post([&] { ++ran; }));
  host.run();
  CHECK(ran == 5);
}

TEST_CASE("a handler's exception leaves the host's run(), and the pool goes on",
          "[contract][host_mode]") {
  asio::io_context host;
  std::atomic<int> hook{0};
  brigade::worker_pool pool{
      host.get_executor(),
      {.threads = 1, .capacity = 16, .on_handler_error = [&](auto) { ++hook; }}};
  int ran = 0;
  for (int i = 0; i != 9; ++i) {
    pool.async_submit([&] { ++ran; },
                      [i](std::exception_ptr) {
                        if (i % 3 == 0) throw std::runtime_error("the handler's own");
                      });
  }
  int caught = 0;
  for (bool again = true; again;) {
    try {
      host.run();
      again = false;
    } catch (std::runtime_error const&) {
      ++caught;
    }
  }
  CHECK(caught == 3);
  CHECK(ran == 9);
  CHECK(hook == 0);
  CHECK(pool.metrics().completed == 9);
  CHECK(pool.metrics().active_workers == 0);
}

TEST_CASE("a job's exception does not leave the host's run()", "[contract][host_mode]") {
  asio::io_context host;
  std::atomic<int> hook{0};
  brigade::worker_pool pool{host.get_executor(),
                            {.threads = 1, .capacity = 16, .on_job_error = [&](auto) { ++hook; }}};
  brigade::error_code why;
  CHECK_FALSE(pool.try_post([] { throw std::runtime_error("posted"); }));
  pool.async_submit([] { throw std::runtime_error("submitted"); },
                    [&](std::exception_ptr failure) { why = to_error_code(failure); });
  CHECK_NOTHROW(host.run());
  CHECK(hook == 1);
  CHECK(why == errc::job_failed);
  CHECK(pool.metrics().failed == 2);
}

TEST_CASE("a pool destroyed before its host tells the handlers of queued jobs",
          "[contract][host_mode]") {
  asio::io_context host;
  asio::io_context elsewhere;
  tally told;
  tally told_elsewhere;
  bool ran = false;
  {
    brigade::worker_pool pool{host.get_executor(), {.threads = 2, .capacity = 100}};
    auto const function = [&] { ran = true; };
    auto const stoppable = [&](std::stop_token) { ran = true; };
    for (int i = 0; i != 5; ++i) {
      pool.async_submit(function, into(told));
      pool.async_submit(stoppable, into(told));
      pool.async_submit(sleep_for_ever, into(told));
      pool.async_submit(function, asio::bind_executor(elsewhere, into(told_elsewhere)));
      pool.async_submit(sleep_for_ever, asio::bind_executor(elsewhere, into(told_elsewhere)));
    }
  }
  elsewhere.run();  // needs nobody to run the host
  CHECK(told_elsewhere.aborted == 10);
  CHECK(told.aborted == 0);
  host.run();
  CHECK(told.aborted == 15);
  CHECK(told.good + told.other == 0);
  CHECK_FALSE(ran);
}

TEST_CASE("a pool destroyed while jobs run on the host leaves them to finish there",
          "[contract][host_mode]") {
  running_host host(2);
  tally told;
  std::atomic<int> running{0};
  std::atomic<bool> go{false};
  std::promise<bool> asked;
  {
    brigade::worker_pool pool{host.context.get_executor(), {.threads = 2, .capacity = 8}};
    pool.async_submit(
        [&] {
          running.fetch_add(1);
          (void)test::wait_until([&] { return go.load(); });
        },
        into(told));
    pool.async_submit(
        [&](std::stop_token stop) {
          running.fetch_add(1);
          asked.set_value(test::wait_until([&] { return stop.stop_requested(); }));
        },
        into(told));
    REQUIRE(test::wait_until([&] { return running == 2; }));
    pool.async_submit([] {}, into(told));
  }  // does not wait for the first job
  CHECK(asked.get_future().get());
  CHECK_FALSE(go);
  go = true;
  CHECK(test::wait_until([&] { return told.good == 2 && told.aborted == 1; }));
}

TEST_CASE("a pool destroyed before its host cancels suspended coroutines",
          "[contract][host_mode]") {
  asio::io_context host;
  tally told;
  {
    brigade::worker_pool pool{host.get_executor(), {.threads = 1, .capacity = 8}};
    for (int i = 0; i != 4; ++i) pool.async_submit(sleep_for_ever, into(told));
    host.poll();
    CHECK(pool.metrics().running_jobs == 4);
  }
  host.run();
  CHECK(told.aborted == 4);
}

TEST_CASE("a host destroyed first cancels the pool's jobs, and no handler is lost without a word",
          "[contract][host_mode]") {
  auto const started = GENERATE(false, true);
  for (int round = 0; round != 20; ++round) {
    asio::io_context elsewhere;
    tally told_elsewhere;
    std::atomic<int> called_on_host{0};
    std::atomic<int> lost{0};
    std::atomic<bool> ran{false};
    auto host = std::make_unique<asio::io_context>();
    brigade::worker_pool pool{
        host->get_executor(),
        {.threads = 2, .capacity = 100, .on_handler_error = [&](std::exception_ptr why) {
           lost += to_error_code(why) == asio::error::operation_aborted;
         }}};
    auto const on_host = [&](std::exception_ptr) { called_on_host.fetch_add(1); };
    for (int i = 0; i != 3; ++i) {
      pool.async_submit(sleep_for_ever, asio::bind_executor(elsewhere, into(told_elsewhere)));
      pool.async_submit(sleep_for_ever, on_host);
    }
    if (started) {
      host->poll();
      CHECK(pool.metrics().running_jobs == 6);
    }
    auto const function = [&] { ran = true; };
    auto const stoppable = [&](std::stop_token) { ran = true; };
    for (int i = 0; i != 2; ++i) {
      pool.async_submit(function, asio::bind_executor(elsewhere, into(told_elsewhere)));
      pool.async_submit(stoppable, asio::bind_executor(elsewhere, into(told_elsewhere)));
      pool.async_submit(function, on_host);
      pool.async_submit(stoppable, asio::bind_executor(host->get_executor(), on_host));
    }
    host.reset();
    elsewhere.run();
    CHECK(told_elsewhere.aborted == 7);
    CHECK(told_elsewhere.good + told_elsewhere.other == 0);
    CHECK(called_on_host == 0);
    CHECK(lost == 7);
    CHECK_FALSE(ran);
    CHECK(pool.metrics().handler_errors == 7);

    CHECK(pool.state() == brigade::pool_state::stopped);
    CHECK(pool.try_post([] {}) == errc::closed);
    elsewhere.restart();
    pool.async_submit([] {}, asio::bind_executor(elsewhere, into(told_elsewhere)));
    elsewhere.run();
    CHECK(told_elsewhere.other == 1);
    CHECK_NOTHROW(pool.async_drain(asio::use_future).get());
    pool.join();
  }
}

TEST_CASE("a completion that waits in a host's queue is not lost without a word",
          "[contract][host_mode]") {
  std::atomic<int> called{0};
  std::atomic<int> lost{0};
  auto host = std::make_unique<asio::io_context>();
  brigade::worker_pool pool{
      host->get_executor(),
      {.threads = 1, .capacity = 1, .on_handler_error = [&](auto) { ++lost; }}};
  auto const on_host = [&](std::exception_ptr) { called.fetch_add(1); };
  pool.async_submit([] {}, on_host);  // queued
  pool.async_submit([] {}, on_host);  // refused, and on its way
  host.reset();
  CHECK(called == 0);
  CHECK(lost == 2);
}

TEST_CASE("a host runs until async_drain has told", "[contract][host_mode]") {
  for (int round = 0; round != 50; ++round) {
    asio::io_context host;
    brigade::worker_pool pool{host.get_executor(), {.threads = 1}};
    REQUIRE_FALSE(pool.try_post([] {}));
    bool told = false;
    pool.async_drain([&](brigade::error_code result) { told = !result; });
    host.run();  // once; without work of the drain's own it would return when the job has run
    REQUIRE(told);
  }
}

TEST_CASE("several pools may share a host", "[contract][host_mode]") {
  running_host host(2);
  std::atomic<int> ran{0};
  std::vector<std::unique_ptr<brigade::worker_pool>> pools;
  for (int i = 0; i != 4; ++i) {
    pools.push_back(std::make_unique<brigade::worker_pool>(
        host.context.get_executor(), brigade::pool_options{.threads = 1, .capacity = 100}));
  }
  for (int i = 0; i != 100; ++i) {
    for (auto& pool : pools) CHECK_FALSE(pool->try_post([&] { ran.fetch_add(1); }));
  }
  for (auto& pool : pools) pool->join();
  CHECK(ran == 400);
}
