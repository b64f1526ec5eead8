// An observer in the middle of everything: each admitted job ends once, whoever ends it, and what
// is told of it comes in order.
// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;

namespace {

constexpr int submitters = 4;
constexpr int jobs_each = 1'500;

/// One life for each number that a job can have.
class census : public brigade::job_observer {
 public:
  census() : lives_(2 * submitters * jobs_each) {}

  void admitted(brigade::observed_job const& job) override { step(job, fresh, queued); }
  void started(brigade::observed_job const& job, std::chrono::nanoseconds wait) override {
    if (wait.count() < 0) ++wrong;
    step(job, queued, running);
  }
  void finished(brigade::observed_job const& job, brigade::job_outcome outcome,
                brigade::job_times const& times) override {
    bool const ran = life_of(job) == running;
    if (!ran && times.run_time.count() != 0) ++wrong;
    if (ran ? outcome == brigade::job_outcome::expired : outcome == brigade::job_outcome::failed) {
      ++wrong;
    }
    ++ends[static_cast<std::size_t>(outcome)];
    step(job, ran ? running : queued, gone);
  }

  [[nodiscard]] std::uint64_t count(int state) const {
    std::uint64_t n = 0;
    for (auto const& life : lives_) n += life == state;
    return n;
  }

  static constexpr int fresh = 0;
  static constexpr int queued = 1;
  static constexpr int running = 2;
  static constexpr int gone = 3;
  std::array<std::atomic<std::uint64_t>, 5> ends{};
  std::atomic<int> wrong{0};

 private:
  std::atomic<int>& life_of(brigade::observed_job const& job) { return lives_.at(job.number); }
  // Relaxed: the pool itself must order what is told of one job, and the thread sanitizer sees
  // whether it does.
  void step(brigade::observed_job const& job, int from, int to) {
    if (!life_of(job).compare_exchange_strong(from, to, std::memory_order_relaxed)) ++wrong;
  }

  std::vector<std::atomic<int>> lives_;
};

auto handler() {
  return [](std::exception_ptr) {};
}

class storm {
 public:
  explicit storm(unsigned seed) : seed_(seed) {}

  void submit(unsigned who) {
    std::mt19937 random(seed_ + who);
    for (int i = 0; i != jobs_each; ++i) {
      switch (random() % 5) {
        case 0:
          static_cast<void>(pool.try_post([throws = random() % 4 == 0] {
            if (throws) throw std::runtime_error("part of the test");
          }));
          break;
        case 1: pool.async_submit([] {}, handler()); break;
        case 2: {
          asio::cancellation_signal signal;
          pool.async_submit([] {}, asio::bind_cancellation_slot(signal.slot(), handler()));
          signal.emit(asio::cancellation_type::total);
          break;
        }
        case 3:
          pool.async_submit(
              [](std::stop_token stop) {
                for (int n = 0; n != 20 && !stop.stop_requested(); ++n) std::this_thread::yield();
              },
              handler());
          break;
        default: {
          auto job = []() -> asio::awaitable<void> { co_await asio::post(asio::use_awaitable); };
          pool.async_submit(job, handler());
        }
      }
      asked.fetch_add(1);
    }
  }

  std::shared_ptr<census> const seen = std::make_shared<census>();
  std::atomic<int> asked{0};
  brigade::worker_pool pool{{.threads = 3,
                             .capacity = 64,
                             .on_job_error = [](std::exception_ptr) {},
                             .turn_jobs = 16,
                             .observer = seen}};

 private:
  unsigned seed_;
};

void rage(bool stop_in_the_middle) {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  storm weather(seed);
  std::vector<std::thread> threads;
  for (unsigned s = 0; s != submitters; ++s) threads.emplace_back([&, s] { weather.submit(s); });
  if (stop_in_the_middle) {
    REQUIRE(test::wait_until([&] { return weather.asked > submitters * jobs_each / 2; }));
    weather.pool.stop();
  }
  for (auto& thread : threads) thread.join();
  weather.pool.join();

  auto const& seen = *weather.seen;
  auto const m = weather.pool.metrics();
  auto const ends = [&](brigade::job_outcome o) {
    return seen.ends[static_cast<std::size_t>(o)].load();
  };
  CHECK(seen.wrong == 0);
  CHECK(seen.count(census::queued) == 0);
  CHECK(seen.count(census::running) == 0);
  CHECK(seen.count(census::gone) == m.admitted);
  CHECK(ends(brigade::job_outcome::completed) == m.completed);
  CHECK(ends(brigade::job_outcome::failed) == m.failed);
  CHECK(ends(brigade::job_outcome::cancelled) == m.cancelled);
  CHECK(m.admitted > 0);
}

}  // namespace

TEST_CASE("an observer sees each admitted job end once when the pool is joined",
          "[stress][observer]") {
  rage(false);
}
TEST_CASE("an observer sees each admitted job end once when the pool stops in the middle",
          "[stress][observer]") {
  rage(true);
}
