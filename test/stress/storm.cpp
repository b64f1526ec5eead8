// Everything at once: submitters of every kind, cancellation, exceptions, close and stop, with the
// identity of the ledger checked in every snapshot and each job's outcome checked by itself.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/balanced.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;

namespace {

constexpr int submitters = 8;
constexpr int jobs_each = 1'500;

using test::balanced;

/// What became of one async_submit.
struct fate {
  std::atomic<int> ran{0};
  std::atomic<int> told{0};
  std::atomic<int> told_aborted{0};
};

class storm {
 public:
  explicit storm(unsigned seed) : seed_(seed), fates_(submitters * jobs_each) {}

  void submit(int who) {
    std::mt19937 random(seed_ + static_cast<unsigned>(who));
    for (int i = 0; i != jobs_each; ++i) {
      auto& fate = fates_[static_cast<std::size_t>(who * jobs_each + i)];
      switch (random() % 6) {
        case 0: post(random() % 8 == 0); break;
        case 1: function(fate, false); break;
        case 2: function(fate, random() % 4 == 0); break;
        case 3: cancelled(fate, static_cast<unsigned>(random() % 3)); break;
        case 4: stoppable(fate); break;
        default: coroutine(fate, random() % 2 == 0);
      }
    }
  }

  brigade::worker_pool pool{
      {.threads = 4,
       .capacity = 128,
       .on_job_error = [this](std::exception_ptr) { job_errors.fetch_add(1); },
       .turn_jobs = 16}};
  std::atomic<int> asked{0};
  std::atomic<int> told{0};
  std::atomic<int> posted{0};
  std::atomic<int> post_ran{0};
  std::atomic<int> job_errors{0};

  [[nodiscard]] int mishandled() const {
    int wrong = 0;
    for (auto const& fate : fates_) {
      if (fate.told > 1 || fate.ran > 1) ++wrong;
      if (fate.told_aborted != 0 && fate.ran != 0) ++wrong;  // cancelled in the queue, yet run
    }
    return wrong;
  }

 private:
  auto handler(fate& fate) {
    asked.fetch_add(1);
    return [this, &fate](std::exception_ptr failure) {
      if (brigade::to_error_code(failure) == asio::error::operation_aborted) {
        fate.told_aborted.fetch_add(1);
      }
      fate.told.fetch_add(1);
      told.fetch_add(1);
    };
  }

  void post(bool throws) {
    if (!pool.try_post([this, throws] {
          post_ran.fetch_add(1);
          if (throws) throw std::runtime_error("part of the test");
        })) {
      posted.fetch_add(1);
    }
  }

  void function(fate& fate, bool throws) {
    pool.async_submit(
        [&fate, throws] {
          fate.ran.fetch_add(1);
          if (throws) throw std::runtime_error("part of the test");
        },
        handler(fate));
  }

  void cancelled(fate& fate, unsigned kind) {
    asio::cancellation_signal signal;
    pool.async_submit([&fate] { fate.ran.fetch_add(1); },
                      asio::bind_cancellation_slot(signal.slot(), handler(fate)));
    signal.emit(kind == 0   ? asio::cancellation_type::terminal
                : kind == 1 ? asio::cancellation_type::partial
                            : asio::cancellation_type::total);
  }

  void stoppable(fate& fate) {
    pool.async_submit(
        [&fate](std::stop_token stop) {
          fate.ran.fetch_add(1);
          for (int i = 0; i != 50 && !stop.stop_requested(); ++i) std::this_thread::yield();
        },
        handler(fate));
  }

  void coroutine(fate& fate, bool twice) {
    auto job = [&fate, twice]() -> asio::awaitable<void> {
      co_await asio::post(asio::use_awaitable);
      if (twice) co_await asio::post(asio::use_awaitable);
      fate.ran.fetch_add(1);
    };
    pool.async_submit(job, handler(fate));
  }

  unsigned seed_;
  std::vector<fate> fates_;
};

enum class ending { drain, close, stop };

void rage(ending how) {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  auto weather = std::make_unique<storm>(seed);
  std::atomic<bool> over{false};
  std::atomic<int> unbalanced{0};
  std::thread watcher([&] {
    while (!over.load()) {
      if (!balanced(weather->pool.metrics())) unbalanced.fetch_add(1);
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (int s = 0; s != submitters; ++s) threads.emplace_back([&, s] { weather->submit(s); });
  // In the middle of it, not after.
  if (how == ending::close || how == ending::stop) {
    REQUIRE(test::wait_until([&] { return weather->asked > submitters * jobs_each / 4; }));
    if (how == ending::close) weather->pool.close();
    if (how == ending::stop) weather->pool.stop();
  }
  for (auto& thread : threads) thread.join();
  weather->pool.join();
  over = true;
  watcher.join();

  // Handlers of submissions that came after the end run on the control thread.
  CHECK(test::wait_until([&] { return weather->told == weather->asked; }));
  auto const m = weather->pool.metrics();
  CHECK(unbalanced == 0);
  CHECK(balanced(m));
  CHECK(m.queued_jobs == 0);
  CHECK(m.running_jobs == 0);
  CHECK(m.state == brigade::pool_state::stopped);
  CHECK(m.admitted + m.rejected.total() == static_cast<std::uint64_t>(submitters) * jobs_each);
  CHECK(weather->mishandled() == 0);
  if (how != ending::stop) CHECK(weather->post_ran == weather->posted);
}

}  // namespace

TEST_CASE("every job has one outcome when the pool is joined", "[stress][storm]") {
  rage(ending::drain);
}
TEST_CASE("every job has one outcome when the pool closes in the middle", "[stress][storm]") {
  rage(ending::close);
}
TEST_CASE("every job has one outcome when the pool stops in the middle", "[stress][storm]") {
  rage(ending::stop);
}
