// Jobs, handlers and hooks that throw: who is told, and what goes on.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <atomic>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;

namespace {

/// Cannot be made to hold work: memory runs out.
struct no_work_executor {
  template <class F>
  void execute(F&& function) const {
    std::forward<F>(function)();
  }
  no_work_executor require(asio::execution::blocking_t::never_t) const { return {}; }
  no_work_executor prefer(asio::execution::outstanding_work_t::tracked_t) const {
    throw std::bad_alloc();
  }
  asio::execution_context& query(asio::execution::context_t) const {
    static asio::io_context context;
    return context;
  }
  bool operator==(no_work_executor const&) const noexcept = default;
};

// A hook that remembers what it was told.
class told {
 public:
  auto hook() {
    return [this](std::exception_ptr failure) {
      std::lock_guard const lock(mutex_);
      failures_.push_back(std::move(failure));
    };
  }
  [[nodiscard]] std::size_t count() const {
    std::lock_guard const lock(mutex_);
    return failures_.size();
  }
  [[nodiscard]] std::exception_ptr first() const {
    std::lock_guard const lock(mutex_);
    return failures_.empty() ? nullptr : failures_.front();
  }

 private:
  std::mutex mutable mutex_;
  std::vector<std::exception_ptr> failures_;
};

std::string what(std::exception_ptr const& failure) {
  try {
    if (!failure) return "nothing";
    std::rethrow_exception(failure);
  } catch (std::exception const& error) {
    return error.what();
  } catch (int number) {
    return std::to_string(number);
  } catch (...) {
    return "something";
  }
}

// Whether each of the workers still runs jobs: all of them at the same time.
bool all_alive(brigade::worker_pool& pool, unsigned workers) {
  test::blocker gate;
  bool const alive = gate.occupy(pool, workers);
  gate.open();
  return alive && test::wait_until([&] { return pool.metrics().running_jobs == 0; });
}

// Sends stderr, the file descriptor itself, to a file for as long as it lives.
class captured_stderr {
 public:
  captured_stderr() : file_(std::tmpfile()), saved_(::dup(STDERR_FILENO)) {
    REQUIRE(file_ != nullptr);
    std::fflush(stderr);
    ::dup2(::fileno(file_), STDERR_FILENO);
  }
  ~captured_stderr() {
    restore();
    std::fclose(file_);
  }
  captured_stderr(captured_stderr const&) = delete;
  captured_stderr& operator=(captured_stderr const&) = delete;

  std::vector<std::string> lines() {
    restore();
    std::rewind(file_);
    std::vector<std::string> found(1);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) {
      if (c == '\n') {
        found.emplace_back();
      } else {
        found.back().push_back(static_cast<char>(c));
      }
    }
    CHECK(found.back().empty());  // the last line has its end
    found.pop_back();
    return found;
  }

 private:
  void restore() {
    std::fflush(stderr);
    if (saved_ < 0) return;
    ::dup2(saved_, STDERR_FILENO);
    ::close(std::exchange(saved_, -1));
  }

  std::FILE* file_;
  int saved_;
};

bool has(std::string const& text, char const* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a posted job's very exception goes to on_job_error", "[contract][failing]") {
  told jobs;
  brigade::worker_pool pool{{.threads = 1, .on_job_error = jobs.hook()}};
  auto const thrown = std::make_exception_ptr(std::runtime_error("no disk"));
  REQUIRE_FALSE(pool.try_post([thrown] { std::rethrow_exception(thrown); }));
  pool.join();
  CHECK(jobs.count() == 1);
  CHECK(jobs.first() == thrown);
  CHECK(pool.metrics().failed == 1);
  CHECK(pool.metrics().completed == 0);
  CHECK(pool.metrics().handler_errors == 0);
}

TEST_CASE("on_job_error is called on the worker, after the job is gone and counted",
          "[contract][failing]") {
  brigade::worker_pool* where = nullptr;
  std::weak_ptr<int> job;
  std::thread::id job_thread;
  std::thread::id hook_thread;
  bool job_is_gone = false;
  std::uint64_t failed = 0;
  brigade::worker_pool pool{{.threads = 1, .on_job_error = [&](std::exception_ptr) {
                               hook_thread = std::this_thread::get_id();
                               job_is_gone = job.expired();
                               failed = where->metrics().failed;
                             }}};
  where = &pool;
  auto kept = std::make_shared<int>(0);
  job = kept;
  REQUIRE_FALSE(pool.try_post([&job_thread, kept = std::move(kept)] {
    job_thread = std::this_thread::get_id();
    throw 1;
  }));
  pool.join();
  CHECK(hook_thread == job_thread);
  CHECK(job_is_gone);
  CHECK(failed == 1);
}

TEST_CASE("an exception of any type is passed on", "[contract][failing]") {
  told jobs;
  brigade::worker_pool pool{{.threads = 1, .on_job_error = jobs.hook()}};
  REQUIRE_FALSE(pool.try_post([] { throw 42; }));
  std::exception_ptr given;
  pool.async_submit([]() -> int { throw 43; },
                    [&](std::exception_ptr failure, int) { given = failure; });
  pool.join();
  CHECK(what(jobs.first()) == "42");
  CHECK(what(given) == "43");
  CHECK(jobs.count() == 1);
}

TEST_CASE("a submitted job's exception reaches its handler unchanged, and no hook",
          "[contract][failing]") {
  told hooks;
  brigade::worker_pool pool{
      {.threads = 1, .on_job_error = hooks.hook(), .on_handler_error = hooks.hook()}};
  auto const thrown = std::make_exception_ptr(std::runtime_error("no disk"));
  std::vector<std::exception_ptr> given(4);
  pool.async_submit([&] { std::rethrow_exception(thrown); },
                    [&](std::exception_ptr failure) { given[0] = failure; });
  pool.async_submit([&]() -> std::string { std::rethrow_exception(thrown); },
                    [&](std::exception_ptr failure, std::string result) {
                      CHECK(result.empty());
                      given[1] = failure;
                    });
  pool.async_submit([&](std::stop_token) { std::rethrow_exception(thrown); },
                    [&](std::exception_ptr failure) { given[2] = failure; });
  auto const coroutine = [&]() -> asio::awaitable<int> {
    co_await asio::post(asio::use_awaitable);
    std::rethrow_exception(thrown);
  };
  pool.async_submit(coroutine, [&](std::exception_ptr failure, int) { given[3] = failure; });
  pool.join();
  CHECK(given == std::vector<std::exception_ptr>(4, thrown));
  CHECK(pool.metrics().failed == 4);
  CHECK(hooks.count() == 0);
}

TEST_CASE("a handler's very exception goes to on_handler_error", "[contract][failing]") {
  told jobs;
  told handlers;
  brigade::worker_pool pool{
      {.threads = 1, .on_job_error = jobs.hook(), .on_handler_error = handlers.hook()}};
  auto const thrown = std::make_exception_ptr(std::runtime_error("no disk"));
  pool.async_submit([] {}, [&](std::exception_ptr) { std::rethrow_exception(thrown); });
  CHECK(test::wait_until([&] { return handlers.count() == 1; }));
  CHECK(handlers.first() == thrown);
  CHECK(jobs.count() == 0);
  CHECK(all_alive(pool, 1));
  auto const now = pool.metrics();
  CHECK(now.handler_errors == 1);
  CHECK(now.failed == 0);
  CHECK(now.completed == now.admitted);
}

TEST_CASE("handlers of refused, cancelled, stoppable and coroutine jobs may throw, too",
          "[contract][failing]") {
  told handlers;
  brigade::worker_pool pool{{.threads = 2, .capacity = 3, .on_handler_error = handlers.hook()}};
  auto const throwing = [](std::exception_ptr) { throw std::runtime_error("a handler's"); };
  auto const coroutine = []() -> asio::awaitable<void> { co_return; };
  {
    test::blocker gate;
    REQUIRE(gate.occupy(pool, 2));
    asio::cancellation_signal signal;
    pool.async_submit([] {}, asio::bind_cancellation_slot(signal.slot(), throwing));
    pool.async_submit([] {}, throwing);  // refused
    signal.emit(asio::cancellation_type::total);
  }
  CHECK(test::wait_until([&] { return pool.metrics().handler_errors == 2; }));
  pool.async_submit([](std::stop_token) {}, throwing);
  CHECK(test::wait_until([&] { return pool.metrics().handler_errors == 3; }));
  pool.async_submit(coroutine, throwing);
  CHECK(test::wait_until([&] { return pool.metrics().handler_errors == 4; }));
  CHECK(handlers.count() == 4);
  CHECK(all_alive(pool, 2));
}

TEST_CASE("an executor that cannot be asked for work leaves nothing admitted",
          "[contract][failing]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  auto const refuses_work = [&] {
    return asio::bind_executor(no_work_executor{}, [](auto&&...) {});
  };
  std::array<char, 64> const large{};
  CHECK_THROWS_AS(pool.async_submit([] {}, refuses_work()), std::bad_alloc);
  CHECK_THROWS_AS(pool.async_submit([large] { return large[0]; }, refuses_work()), std::bad_alloc);
  CHECK_THROWS_AS(pool.async_submit([](std::stop_token) {}, refuses_work()), std::bad_alloc);
  auto const coroutine = []() -> asio::awaitable<void> { co_return; };
  CHECK_THROWS_AS(pool.async_submit(coroutine, refuses_work()), std::bad_alloc);
  CHECK(pool.metrics().admitted == 0);
  pool.async_submit([] {}, asio::use_future).get();
}

TEST_CASE("what is posted to the pool's executor may throw, too", "[contract][failing]") {
  told handlers;
  brigade::worker_pool pool{{.threads = 1, .on_handler_error = handlers.hook()}};
  asio::post(pool.get_executor(), [] { throw std::runtime_error("no job"); });
  CHECK(test::wait_until([&] { return handlers.count() == 1; }));
  CHECK(what(handlers.first()) == "no job");
  CHECK(pool.metrics().handler_errors == 1);
  CHECK(all_alive(pool, 1));
}

TEST_CASE("every worker survives any number of throwing jobs and handlers", "[contract][failing]") {
  constexpr unsigned workers = 4;
  constexpr int each = 2'000;
  std::atomic<int> jobs{0};
  std::atomic<int> handlers{0};
  std::atomic<int> given{0};
  brigade::worker_pool pool{
      {.threads = workers,
       .capacity = 4 * each,
       .on_job_error = [&](std::exception_ptr) { jobs.fetch_add(1); },
       .on_handler_error = [&](std::exception_ptr) { handlers.fetch_add(1); }}};
  for (int i = 0; i != each; ++i) {
    CHECK_FALSE(pool.try_post([] { throw 1; }));
    pool.async_submit([] { throw 2; },
                      [&](std::exception_ptr failure) {
                        if (failure) given.fetch_add(1);
                      });
    pool.async_submit([] {}, [](std::exception_ptr) { throw 3; });
  }
  CHECK(test::wait_until([&] { return jobs == each && handlers == each && given == each; }));
  CHECK(all_alive(pool, workers));
  pool.join();
  CHECK(pool.metrics().failed == 2 * each);
  CHECK(pool.metrics().handler_errors == each);
}

TEST_CASE("a handler that throws while the pool is joined holds nothing up",
          "[contract][failing]") {
  told handlers;
  brigade::worker_pool pool{{.threads = 2, .on_handler_error = handlers.hook()}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 2));
  for (int i = 0; i != 100; ++i) {
    pool.async_submit([] {}, [](std::exception_ptr) { throw 1; });
  }
  std::thread opener([&] {
    CHECK(test::wait_until([&] { return pool.state() != brigade::pool_state::running; }));
    gate.open();
  });
  pool.join();
  opener.join();
  CHECK(handlers.count() == 100);
  CHECK(pool.metrics().completed == 102);
}

TEST_CASE("a hook that throws is contained, and nothing is lost of either exception",
          "[contract][failing]") {
  captured_stderr captured;
  auto const throwing_hook = [](std::exception_ptr) { throw std::runtime_error("the hook's own"); };
  std::uint64_t failed = 0;
  std::uint64_t handler_errors = 0;
  bool alive = false;
  {
    brigade::worker_pool pool{
        {.threads = 2, .on_job_error = throwing_hook, .on_handler_error = throwing_hook}};
    CHECK_FALSE(pool.try_post([] { throw std::runtime_error("the job's own"); }));
    pool.async_submit([] {},
                      [](std::exception_ptr) { throw std::runtime_error("the handler's own"); });
    alive =
        test::wait_until([&] { return pool.metrics().handler_errors == 1; }) && all_alive(pool, 2);
    pool.join();
    failed = pool.metrics().failed;
    handler_errors = pool.metrics().handler_errors;
  }
  std::string text;
  for (auto const& line : captured.lines()) text += line + '\n';
  CHECK(alive);
  CHECK(failed == 1);
  CHECK(handler_errors == 1);
  CHECK(has(text, "the job's own"));
  CHECK(has(text, "the handler's own"));
  CHECK(has(text, "the hook's own"));
}

TEST_CASE("without a hook an exception is one line on stderr that names the pool",
          "[contract][failing]") {
  captured_stderr captured;
  std::string expected;
  {
    brigade::worker_pool pool{{.threads = 1, .name = "resize"}};
    SECTION("of a job") {
      expected = "no disk";
      CHECK_FALSE(pool.try_post([] { throw std::runtime_error("no disk"); }));
    }
    SECTION("of a handler") {
      expected = "no wire";
      pool.async_submit([] {}, [](std::exception_ptr) { throw std::runtime_error("no wire"); });
    }
    SECTION("that is no std::exception") {
      expected = "no std::exception";
      CHECK_FALSE(pool.try_post([] { throw 42; }));
    }
    pool.join();
  }
  auto const lines = captured.lines();
  REQUIRE(lines.size() == 1);
  CHECK(has(lines[0], "brigade"));
  CHECK(has(lines[0], "resize"));
  CHECK(has(lines[0], expected.c_str()));
}

TEST_CASE("lines of several workers do not mix", "[contract][failing]") {
  captured_stderr captured;
  {
    brigade::worker_pool pool{{.threads = 4, .capacity = 1'000, .name = "x"}};
    for (int i = 0; i != 500; ++i) {
      CHECK_FALSE(pool.try_post([] { throw std::runtime_error("abcdefghijklmnopqrstuvwxyz"); }));
    }
    pool.join();
  }
  auto const lines = captured.lines();
  CHECK(lines.size() == 500);
  CHECK(std::set<std::string>(lines.begin(), lines.end()).size() == 1);
}

TEST_CASE("a hook may use the pool", "[contract][failing]") {
  std::atomic<int> ran{0};
  brigade::worker_pool* where = nullptr;
  brigade::worker_pool pool{{.threads = 1, .capacity = 1, .on_job_error = [&](std::exception_ptr) {
                               // The failed job's slot is free by now.
                               if (!where->try_post([&] { ran.fetch_add(1); })) ran.fetch_add(1);
                             }}};
  where = &pool;
  REQUIRE_FALSE(pool.try_post([] { throw 1; }));
  CHECK(test::wait_until([&] { return ran == 2; }));
}
