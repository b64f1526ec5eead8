// Groups under everything at once: members that add members, throw, are cancelled, expire and are
// held back, while their groups are cancelled and destroyed and the pool ends; each job's outcome
// is checked by itself, and the groups' ledgers against it.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr int submitters = 4;
constexpr int rounds = 60;        // groups a submitter
constexpr int jobs_a_group = 24;  // before they add some

/// What became of one job.
struct fate {
  std::atomic<int> ran{0};
  std::atomic<int> told{0};
  std::atomic<int> told_not_run{0};  // of a verdict: it must not have run
};

class storm {
 public:
  explicit storm(unsigned seed) : seed_(seed) {}

  void submit(unsigned who) {
    std::mt19937 random(seed_ + who);
    for (int i = 0; i != rounds; ++i) one_group(random);
  }

  brigade::worker_pool pool{{.threads = 4, .capacity = 96, .max_waiting = 32, .turn_jobs = 16}};
  std::atomic<int> groups{0};
  std::atomic<int> asked{0};
  std::atomic<int> told{0};
  std::atomic<int> waits_asked{0};
  std::atomic<int> waits_told{0};
  std::atomic<int> over_bound{0};
  std::atomic<int> unbalanced{0};

  [[nodiscard]] int mishandled() {
    std::lock_guard const lock(mutex_);
    int wrong = 0;
    for (auto const& fate : fates_) {
      if (fate.told != 1 || fate.ran > 1) ++wrong;
      if (fate.told_not_run != 0 && fate.ran != 0) ++wrong;
    }
    return wrong;
  }

 private:
  /// What the jobs of a group share; outlives the group, for they do.
  struct shared {
    explicit shared(brigade::worker_pool& pool, brigade::task_group_options options)
        : bound(options.max_running), group(pool, options) {}
    std::size_t const bound;
    std::atomic<std::size_t> inside{0};
    std::atomic<int> to_add{16};
    brigade::task_group group;
  };
  using of_group = std::shared_ptr<shared>;

  fate& new_fate() {
    asked.fetch_add(1);
    std::lock_guard const lock(mutex_);
    return fates_.emplace_back();
  }

  auto handler(fate& fate) {
    return [this, &fate](std::exception_ptr failure) {
      auto const why = brigade::to_error_code(failure);
      if (why && why != brigade::errc::job_failed) fate.told_not_run.fetch_add(1);
      fate.told.fetch_add(1);
      told.fetch_add(1);
    };
  }

  // The body of a job: sees to the bound, adds a member at times, throws at times.
  void work(shared& of, fate& fate, unsigned dice) {
    auto const now_inside = of.inside.fetch_add(1) + 1;
    if (of.bound != 0 && now_inside > of.bound) over_bound.fetch_add(1);
    fate.ran.fetch_add(1);
    if (dice % 4 == 0) std::this_thread::yield();
    bool const adds = dice % 3 == 0 && of.to_add.fetch_sub(1) > 0;
    if (adds) add(of, dice / 7);
    of.inside.fetch_sub(1);
    if (dice % 11 == 0) throw std::runtime_error("part of the test");
  }

  // Members that members add are plain ones that hold nothing: the group may be gone by then.
  void add(shared& of, unsigned dice) {
    auto& fate = new_fate();
    auto const keep = weak(of);
    auto job = [this, keep, &fate, dice] {
      if (auto const still = keep.lock()) {
        work(*still, fate, dice);
      } else {
        fate.ran.fetch_add(1);
      }
    };
    of.group.async_submit(std::move(job), handler(fate));
  }

  std::weak_ptr<shared> weak(shared& of) {
    std::lock_guard const lock(mutex_);
    for (auto const& [raw, kept] : known_) {
      if (raw == &of) return kept;
    }
    return {};
  }

  void submit_one(of_group const& of, std::mt19937& random) {
    auto& fate = new_fate();
    auto const dice = static_cast<unsigned>(random());
    brigade::submit_options options;
    if (dice % 5 == 1) options.when_full = brigade::overflow::wait;
    if (dice % 5 == 2) options.when_full = brigade::overflow::drop_oldest;
    if (dice % 5 == 3)
      options.start_by = brigade::clock::now() + std::chrono::microseconds(dice % 500);
    switch ((dice >> 8) % 4) {
      case 0: {
        auto job = [this, of, &fate, dice] { work(*of, fate, dice); };
        return of->group.async_submit(std::move(job), options, handler(fate));
      }
      case 1: {
        asio::cancellation_signal signal;
        auto job = [this, of, &fate, dice] { work(*of, fate, dice); };
        of->group.async_submit(std::move(job), options,
                               asio::bind_cancellation_slot(signal.slot(), handler(fate)));
        if (dice % 2 == 0) std::this_thread::yield();
        signal.emit(asio::cancellation_type::terminal);
        return;
      }
      case 2: {
        auto job = [this, of, &fate, dice](std::stop_token stop) {
          for (int i = 0; i != 20 && !stop.stop_requested(); ++i) std::this_thread::yield();
          work(*of, fate, dice);
        };
        return of->group.async_submit(std::move(job), options, handler(fate));
      }
      default: {
        auto job = [this, of, &fate, dice]() -> asio::awaitable<void> {
          // A coroutine that is cancelled throws where it is suspended, and has run.
          co_await asio::this_coro::throw_if_cancelled(false);
          co_await asio::post(asio::use_awaitable);
          work(*of, fate, dice);
        };
        return of->group.async_submit(std::move(job), options, handler(fate));
      }
    }
  }

  void one_group(std::mt19937& random) {
    brigade::task_group_options options;
    options.max_running = random() % 4;
    options.cancel_on_failure = random() % 4 == 0;
    auto of = std::make_shared<shared>(pool, options);
    {
      std::lock_guard const lock(mutex_);
      known_.emplace_back(of.get(), of);
    }
    groups.fetch_add(1);
    bool const cancels = random() % 4 == 0;
    for (int i = 0; i != jobs_a_group; ++i) {
      submit_one(of, random);
      if (cancels && i == jobs_a_group / 2) of->group.cancel();
      auto const m = of->group.metrics();
      if (m.submitted !=
              m.jobs + m.refused + m.completed + m.failed + m.cancelled + m.expired + m.shed ||
          (options.max_running != 0 && m.running > options.max_running)) {
        unbalanced.fetch_add(1);
      }
    }
    waits_asked.fetch_add(1);
    of->group.async_wait([this](std::exception_ptr) { waits_told.fetch_add(1); });
    if (random() % 2 == 0) return;  // the jobs are the last that hold the group
    std::atomic<bool> empty{false};
    of->group.async_wait(asio::bind_executor(asio::system_executor(), [&](std::exception_ptr) {
      empty = true;
      empty.notify_one();
    }));
    empty.wait(false);
    if (of->inside != 0) over_bound.fetch_add(1);
  }

  unsigned seed_;
  std::mutex mutex_;
  std::deque<fate> fates_;                                        // guarded by mutex_
  std::vector<std::pair<shared*, std::weak_ptr<shared>>> known_;  // guarded by mutex_
};

enum class ending { join, close, stop };

void rage(ending how) {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  storm weather(seed);
  std::vector<std::thread> threads;
  for (unsigned s = 0; s != submitters; ++s) threads.emplace_back([&, s] { weather.submit(s); });
  if (how != ending::join) {
    REQUIRE(test::wait_until([&] { return weather.groups > submitters * rounds / 2; }));
    if (how == ending::close) weather.pool.close();
    if (how == ending::stop) weather.pool.stop();
  }
  for (auto& thread : threads) thread.join();
  weather.pool.join();
  CHECK(test::wait_until([&] { return weather.told == weather.asked; }));
  CHECK(test::wait_until([&] { return weather.waits_told == weather.waits_asked; }));
  auto const m = weather.pool.metrics();
  CHECK(m.admitted == m.completed + m.failed + m.cancelled + m.expired + m.shed);
  CHECK(m.admitted + m.rejected.total() == static_cast<std::uint64_t>(weather.asked));
  CHECK(m.queued_jobs + m.running_jobs == 0);
  CHECK(m.state == brigade::pool_state::stopped);
  CHECK(weather.mishandled() == 0);
  CHECK(weather.over_bound == 0);
  CHECK(weather.unbalanced == 0);
}

}  // namespace

TEST_CASE("every job of a group has one outcome when the pool is joined", "[stress][groups]") {
  rage(ending::join);
}
TEST_CASE("every job of a group has one outcome when the pool closes in the middle",
          "[stress][groups]") {
  rage(ending::close);
}
TEST_CASE("every job of a group has one outcome when the pool stops in the middle",
          "[stress][groups]") {
  rage(ending::stop);
}

TEST_CASE("a held back job is called, cancelled, shed and stopped at the same moment, once",
          "[stress][groups]") {
  for (int round = 0; round != 200; ++round) {
    brigade::worker_pool pool{{.threads = 2, .capacity = 8}};
    brigade::task_group group{pool, {.max_running = 1}};
    std::atomic<int> told{0};
    std::atomic<int> ran{0};
    std::atomic<bool> open{false};
    auto const handler = [&](std::exception_ptr) { told.fetch_add(1); };
    group.async_submit([&] { open.wait(false); }, handler);
    REQUIRE(test::wait_until([&] { return group.metrics().running == 1; }));
    asio::cancellation_signal signal;
    group.async_submit([&] { ran.fetch_add(1); },
                       asio::bind_cancellation_slot(signal.slot(), handler));
    REQUIRE(test::wait_until([&] { return group.metrics().held_back == 1; }));
    std::atomic<int> ready{0};
    auto const together = [&](auto act) {
      return std::thread([&ready, act] {
        ready.fetch_add(1);
        while (ready.load() != 4) std::this_thread::yield();
        act();
      });
    };
    std::thread threads[] = {
        together([&] {
          open = true;
          open.notify_all();
        }),
        together([&] { signal.emit(asio::cancellation_type::terminal); }),
        together([&] { round % 3 == 0 ? pool.stop() : group.cancel(); }), together([&] {
          if (pool.try_post([] {}, {.when_full = brigade::overflow::drop_oldest})) {
            return;  // stopped before
          }
        })};
    for (auto& thread : threads) thread.join();
    pool.join();
    CHECK(test::wait_until([&] { return told == 2; }));
    auto const m = pool.metrics();
    CHECK(m.admitted == m.completed + m.failed + m.cancelled + m.expired + m.shed);
    CHECK(m.state == brigade::pool_state::stopped);
    CHECK(group.metrics().held_back == 0);
    CHECK(group.metrics().jobs == 0);
    CHECK(ran <= 1);
  }
}

TEST_CASE("every retry is told once, whatever ends it", "[stress][groups]") {
  for (int round = 0; round != 12; ++round) {
    brigade::worker_pool pool{{.threads = 2, .capacity = 4}};
    brigade::backoff_policy const policy{
        .first = 1ms, .most = 2ms, .factor = 2, .tries = 20, .total = 1'000ms};
    constexpr int jobs = 200;
    std::atomic<int> told{0};
    std::atomic<int> ran{0};
    std::atomic<int> good{0};
    std::deque<asio::cancellation_signal> signals(jobs);
    for (int i = 0; i != jobs; ++i) {
      auto job = [&](std::stop_token) {
        ran.fetch_add(1);
        std::this_thread::yield();
      };
      auto handler = [&](std::exception_ptr failure) {
        if (!failure) good.fetch_add(1);
        told.fetch_add(1);
      };
      brigade::submit_options options;
      if (i % 5 == 0) options.start_by = brigade::clock::now() + 1ms;
      brigade::async_retry(pool, policy, std::move(job), options,
                           asio::bind_cancellation_slot(signals[static_cast<std::size_t>(i)].slot(),
                                                        std::move(handler)));
    }
    for (std::size_t i = 0; i < jobs; i += 3) signals[i].emit(asio::cancellation_type::terminal);
    if (round % 3 == 0) pool.stop();
    if (round % 3 == 1) pool.close();
    CHECK(test::wait_until([&] { return told == jobs; }));
    pool.join();
    CHECK(ran == good);
    auto const m = pool.metrics();
    CHECK(m.admitted == m.completed + m.failed + m.cancelled + m.expired + m.shed);
    CHECK(m.admitted + m.rejected.total() == jobs);
    CHECK(told == jobs);
  }
}
