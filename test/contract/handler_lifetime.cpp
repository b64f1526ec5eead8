// What is left of a handler that has been called must not outlive the work that it holds: with that
// work gone, the run() of its context returns, and the context may be destroyed.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <type_traits>
#include <utility>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;

namespace {

/// Counts what refers to a context: copies of its executor, and of those the ones that hold work.
struct context_record {
  std::atomic<int> copies{0};
  std::atomic<int> work{0};
  std::atomic<int> copies_when_work_ended{-1};
};

/// Runs functions in place.
class counted_executor {
 public:
  explicit counted_executor(context_record& record, bool tracked = false) noexcept
      : record_(&record), tracked_(tracked) {
    ++record_->copies;
    if (tracked_) ++record_->work;
  }
  counted_executor(counted_executor const& other) noexcept
      : counted_executor(*other.record_, other.tracked_) {}
  counted_executor& operator=(counted_executor const&) = delete;
  ~counted_executor() {
    int const left = --record_->copies;
    if (tracked_ && --record_->work == 0) record_->copies_when_work_ended = left;
  }

  template <class F>
  void execute(F&& function) const {
    auto run = std::decay_t<F>(std::forward<F>(function));
    std::move(run)();
  }
  counted_executor require(asio::execution::blocking_t::never_t) const { return *this; }
  counted_executor prefer(asio::execution::outstanding_work_t::tracked_t) const {
    return counted_executor(*record_, true);
  }
  counted_executor prefer(asio::execution::outstanding_work_t::untracked_t) const {
    return counted_executor(*record_, false);
  }
  asio::execution_context& query(asio::execution::context_t) const {
    static asio::io_context context;
    return context;
  }
  bool operator==(counted_executor const&) const noexcept = default;

 private:
  context_record* record_;
  bool tracked_;
};

template <class Job>
void submit_bound(brigade::worker_pool& pool, context_record& record, Job const& job) {
  auto const ignore = [](auto const&...) {};
  pool.async_submit(job, asio::bind_executor(counted_executor(record), ignore));
}

}  // namespace

TEST_CASE("the work on a handler's executor is the last that the pool lets go of",
          "[contract][handler]") {
  context_record record;
  test::blocker gate;
  brigade::worker_pool pool{{.threads = 1, .capacity = 8}};
  auto const function = [&] { gate.wait(); };
  auto const stoppable = [&](std::stop_token) { gate.wait(); };
  auto const coroutine = [&]() -> asio::awaitable<void> {
    gate.wait();
    co_return;
  };

  SECTION("after a function") { submit_bound(pool, record, function); }
  SECTION("after a stoppable function") { submit_bound(pool, record, stoppable); }
  SECTION("after a coroutine") { submit_bound(pool, record, coroutine); }
  SECTION("after a drain") {
    CHECK(gate.occupy(pool, 1));
    auto const ignore = [](brigade::error_code) {};
    pool.async_drain(asio::bind_executor(counted_executor(record), ignore));
  }
  SECTION("after a job that is cancelled") {
    CHECK(gate.occupy(pool, 1));
    submit_bound(pool, record, function);
    pool.stop();
  }
  gate.open();
  CHECK(test::wait_until([&] { return record.copies_when_work_ended != -1; }));
  CHECK(record.copies_when_work_ended == 0);
}
