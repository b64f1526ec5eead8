// Every way in at once: all that a submitter can ask for, in all lanes, with random deadlines,
// cancellation, exceptions, close and stop. What became of each job is checked by the job itself,
// and the books against what was seen from outside; every snapshot meanwhile has to balance.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/balanced.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;
using brigade::errc;
using brigade::overflow;

namespace {

constexpr int submitters = 8;
constexpr int asks_each = 800;
constexpr unsigned workers = 4;
constexpr std::size_t capacity = 48;
constexpr std::size_t places_in_line = 24;

// ── what is seen from outside ──

using count = std::atomic<std::uint64_t>;

/// How many jobs and permits are certainly in flight: counted in after they were admitted, and out
/// before their slot is free. So it never exceeds what the pool has in flight.
struct presence {
  count in{0};
  count out{0};

  [[nodiscard]] std::uint64_t at_least() const {
    auto const entered = in.load();  // first: what leaves meanwhile makes it less
    auto const left = out.load();
    return entered > left ? entered - left : 0;
  }
};

/// Part of a job; says so when the job has been destroyed, wherever it had been moved to.
class passenger {
 public:
  explicit passenger(count& gone) : gone_(&gone) {}
  passenger(passenger&& other) noexcept : gone_(std::exchange(other.gone_, nullptr)) {}
  passenger& operator=(passenger&&) = delete;
  ~passenger() {
    if (gone_ != nullptr) gone_->fetch_add(1);
  }

 private:
  count* gone_;
};

/// What became of one async_submit.
struct fate {
  std::atomic<int> begun{0};
  std::atomic<int> told{0};
  brigade::error_code why{};  // written before `told`
};

/// The books as somebody would keep them who only sees verdicts, jobs and handlers.
struct books {
  count asked{0};      // jobs that were offered, and slots asked for in vain
  count posted{0};     // verdicts that were good
  count posts_ran{0};  // of those; a throwing one included
  count pending{0};    // handlers still to be told
  count jobs_made{0};
  count jobs_destroyed{0};
  std::array<presence, 3> posts{};  // by lane
  presence permits;
};

// ── the storm ──

class storm {
 public:
  explicit storm(unsigned seed) : seed_(seed), fates_(submitters * asks_each) {
    elsewhere_ = std::thread([this] { context_.run(); });
  }
  ~storm() {
    work_.reset();
    elsewhere_.join();
  }

  /// One submitter's asks. Permits that it still holds are left to the caller.
  void submit(int who) {
    submitter one{*this, seed_ + static_cast<unsigned>(who)};
    for (int i = 0; i != asks_each; ++i) {
      one.ask(fates_[static_cast<std::size_t>(who * asks_each + i)]);
      asks.fetch_add(1);
    }
  }

  [[nodiscard]] std::vector<fate> const& fates() const { return fates_; }

  books seen;
  std::atomic<int> asks{0};
  std::atomic<unsigned> inside{0};  // functions that workers run now
  std::atomic<int> too_many_inside{0};
  brigade::worker_pool pool{{.threads = workers,
                             .capacity = capacity,
                             .on_job_error = [](std::exception_ptr) {},
                             .max_waiting = places_in_line,
                             .lanes = {{.weight = 4}, {.capacity = 24}, {.capacity = 6}},
                             .shedding = brigade::codel{1ms, 2ms},
                             .turn_jobs = 16}};

 private:
  class submitter {
   public:
    submitter(storm& all, unsigned seed) : all_(all), random_(seed) {}
    ~submitter() {
      while (!held_.empty()) drop_permit();
    }

   private:
    std::size_t pick(std::size_t of) { return random_() % of; }

    asio::cancellation_type any_type() {
      return std::array{asio::cancellation_type::terminal, asio::cancellation_type::partial,
                        asio::cancellation_type::total}[pick(3)];
    }

    brigade::submit_options terms(bool may_wait, bool may_run_here) {
      brigade::submit_options options{.lane = static_cast<unsigned>(pick(3))};
      switch (pick(4)) {
        case 0: break;
        case 1: options.when_full = overflow::drop_oldest; break;
        case 2: options.when_full = may_run_here ? overflow::caller_runs : overflow::reject; break;
        default: options.when_full = may_wait ? overflow::wait : overflow::reject;
      }
      auto const now = brigade::clock::now();
      switch (pick(6)) {
        case 0: options.start_by = now - 1ms; break;
        case 1: options.start_by = now + std::chrono::microseconds{pick(2000)}; break;
        case 2: options.start_by = brigade::clock::time_point::max(); break;
        default: break;
      }
      if (pick(8) == 0) options.name = "part of the storm";
      return options;
    }

    /// Connected to a signal or not; told on the pool, on a strand of it, or elsewhere.
    auto handler(fate& fate) {
      all_.seen.pending.fetch_add(1);
      auto tell = [&all = all_, &fate](std::exception_ptr failure) {
        fate.why = brigade::to_error_code(failure);
        fate.told.fetch_add(1);
        all.seen.pending.fetch_sub(1);
      };
      return asio::bind_cancellation_slot(slot(), asio::bind_executor(place(), std::move(tell)));
    }
    asio::cancellation_slot slot() {
      if (pick(2) == 0) return {};
      return signals_.emplace_back().slot();
    }
    asio::any_io_executor place() {
      switch (pick(3)) {
        case 0: return all_.pool.get_executor();
        case 1: return asio::make_strand(all_.pool.get_executor());
        default: return all_.context_.get_executor();
      }
    }

    // Jobs.
    passenger aboard() {
      all_.seen.jobs_made.fetch_add(1);
      return passenger{all_.seen.jobs_destroyed};
    }
    /// Runs on a worker, or where it was submitted.
    struct visit {
      explicit visit(storm& all, std::thread::id submitter)
          : all_(all), on_worker_(std::this_thread::get_id() != submitter) {
        if (on_worker_ && all_.inside.fetch_add(1) >= workers) all_.too_many_inside.fetch_add(1);
      }
      ~visit() {
        if (on_worker_) all_.inside.fetch_sub(1);
      }
      visit(visit const&) = delete;
      visit& operator=(visit const&) = delete;
      storm& all_;
      bool on_worker_;
    };
    auto function(fate& fate) {
      return [&all = all_, &fate, here = std::this_thread::get_id(), keep = aboard()] {
        visit const now{all, here};
        fate.begun.fetch_add(1);
      };
    }
    auto thrower(fate& fate) {
      return [&all = all_, &fate, here = std::this_thread::get_id(), keep = aboard()] {
        visit const now{all, here};
        fate.begun.fetch_add(1);
        throw std::runtime_error("part of the test");
      };
    }
    auto stoppable(fate& fate) {
      return [&all = all_, &fate, here = std::this_thread::get_id(),
              keep = aboard()](std::stop_token stop) {
        visit const now{all, here};
        fate.begun.fetch_add(1);
        for (int i = 0; i != 50 && !stop.stop_requested(); ++i) std::this_thread::yield();
      };
    }

    // Ways in.
    void post() {
      auto const options = terms(false, true);
      auto& present = all_.seen.posts[options.lane];
      all_.seen.asked.fetch_add(1);
      bool const throws = pick(8) == 0;
      bool admitted = false;
      {
        auto job = [&all = all_, throws, here = std::this_thread::get_id(), keep = aboard(),
                    leave = passenger{present.out}] {
          visit const now{all, here};
          all.seen.posts_ran.fetch_add(1);
          if (throws) throw std::runtime_error("part of the test");
        };
        admitted = !all_.pool.try_post(std::move(job), options);
        if (admitted) present.in.fetch_add(1);
      }
      if (admitted) {
        all_.seen.posted.fetch_add(1);
      } else {
        present.in.fetch_add(1);  // for the job, which was refused, has counted itself out
      }
    }

    template <class Job>
    void submit(fate& fate, Job job) {
      all_.seen.asked.fetch_add(1);
      all_.pool.async_submit(std::move(job), terms(true, true), handler(fate));
    }

    void submit_coroutine(fate& fate) {
      auto job = [&fate, twice = pick(2) == 0,
                  keep = std::make_shared<passenger>(aboard())]() -> asio::awaitable<void> {
        fate.begun.fetch_add(1);
        co_await asio::post(asio::use_awaitable);
        if (twice) co_await asio::post(asio::use_awaitable);
      };
      all_.seen.asked.fetch_add(1);
      all_.pool.async_submit(std::move(job), terms(true, false), handler(fate));
    }

    void hold() {
      auto got = all_.pool.try_reserve({.lane = static_cast<unsigned>(pick(3))});
      if (!got) {
        all_.seen.asked.fetch_add(1);
        return;
      }
      all_.seen.permits.in.fetch_add(1);
      held_.push_back(std::move(*got));
      if (held_.size() > 2) drop_permit();
    }
    brigade::permit take_permit() {
      auto taken = std::move(held_.front());
      held_.pop_front();
      all_.seen.permits.out.fetch_add(1);
      return taken;
    }
    void drop_permit() { static_cast<void>(take_permit()); }

    void spend(fate& fate) {
      if (held_.empty()) return hold();
      auto permit = take_permit();
      auto options = terms(true, true);
      all_.seen.asked.fetch_add(1);
      if (pick(2) == 0) {
        permit.async_submit(function(fate), options, handler(fate));
        return;
      }
      auto job = [&all = all_, keep = aboard()] { all.seen.posts_ran.fetch_add(1); };
      if (!permit.post(std::move(job), options)) all_.seen.posted.fetch_add(1);
    }

    void reserve() {
      all_.seen.pending.fetch_add(1);
      auto tell = [&all = all_](brigade::error_code refused, brigade::permit slot) {
        if (refused) {
          all.seen.asked.fetch_add(1);
        } else {
          all.seen.asked.fetch_add(1);
          auto job = [&all] { all.seen.posts_ran.fetch_add(1); };
          if (!slot.post(job)) all.seen.posted.fetch_add(1);
        }
        all.seen.pending.fetch_sub(1);
      };
      all_.pool.async_reserve(
          terms(true, false),
          asio::bind_cancellation_slot(slot(), asio::bind_executor(place(), std::move(tell))));
    }

    void post_for() {
      all_.seen.asked.fetch_add(1);
      auto job = [&all = all_, keep = aboard()] { all.seen.posts_ran.fetch_add(1); };
      auto const options = brigade::submit_options{.lane = static_cast<unsigned>(pick(3))};
      auto const timeout = std::chrono::microseconds{pick(1000)};
      if (!all_.pool.post_for(std::move(job), timeout, options)) all_.seen.posted.fetch_add(1);
    }

   public:
    void ask(fate& fate) {
      switch (pick(10)) {
        case 0:
        case 1: post(); break;
        case 2: submit(fate, function(fate)); break;
        case 3: submit(fate, thrower(fate)); break;
        case 4: submit(fate, stoppable(fate)); break;
        case 5: submit_coroutine(fate); break;
        case 6: hold(); break;
        case 7: spend(fate); break;
        case 8: reserve(); break;
        default: post_for();
      }
      // One of the last few: what it was for waits, is queued, runs, or is over.
      if (pick(3) == 0 && !signals_.empty()) {
        auto const last_few = std::min<std::size_t>(signals_.size(), 8);
        signals_[signals_.size() - 1 - pick(last_few)].emit(any_type());
      }
    }

   private:
    storm& all_;
    std::mt19937 random_;
    std::deque<asio::cancellation_signal> signals_;
    std::deque<brigade::permit> held_;
  };

  unsigned seed_;
  std::vector<fate> fates_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ =
      asio::make_work_guard(context_);
  std::thread elsewhere_;
};

// ── who watches ──

using test::balanced;

template <class Numbers>
bool went_back(Numbers const& before, Numbers const& now) {
  return now.admitted < before.admitted || now.completed < before.completed ||
         now.failed < before.failed || now.cancelled < before.cancelled ||
         now.expired < before.expired || now.shed < before.shed;
}

class watcher {
 public:
  explicit watcher(storm& weather) : weather_(weather), last_(weather.pool.metrics()) {}

  void look() {
    // First what is certainly there, then what the pool says: both have to keep to the bounds.
    std::uint64_t present = weather_.seen.permits.at_least();
    std::array<std::uint64_t, 3> in_lane{};
    for (std::size_t lane = 0; lane != 3; ++lane) {
      in_lane[lane] = weather_.seen.posts[lane].at_least();
      if (in_lane[lane] > last_.lanes[lane].capacity) over_bound.fetch_add(1);
    }
    if (std::max(present, in_lane[0] + in_lane[1] + in_lane[2]) > capacity) over_bound.fetch_add(1);

    auto const now = weather_.pool.metrics();
    if (!balanced(now) || now.waiting > places_in_line) unbalanced.fetch_add(1);
    if (went_back(last_, now)) backwards.fetch_add(1);
    for (std::size_t lane = 0; lane != now.lanes.size(); ++lane) {
      if (!balanced(now.lanes[lane])) unbalanced.fetch_add(1);
      if (went_back(last_.lanes[lane], now.lanes[lane])) backwards.fetch_add(1);
    }
    last_ = now;
  }

  std::atomic<int> over_bound{0};
  std::atomic<int> unbalanced{0};
  std::atomic<int> backwards{0};

 private:
  storm& weather_;
  brigade::pool_metrics last_;
};

void check_fates(std::vector<fate> const& fates) {
  int told_twice = 0;
  int run_twice = 0;
  int run_though_refused = 0;
  int not_run_though_told_so = 0;
  for (auto const& fate : fates) {
    told_twice += fate.told > 1;
    run_twice += fate.begun > 1;
    if (fate.told == 0) continue;
    bool const never_started = fate.why == errc::queue_full || fate.why == errc::closed ||
                               fate.why == errc::expired || fate.why == errc::shed;
    run_though_refused += never_started && fate.begun != 0;
    bool const ended_by_itself = !fate.why || fate.why == errc::job_failed;
    not_run_though_told_so += ended_by_itself && fate.begun != 1;
  }
  CHECK(told_twice == 0);
  CHECK(run_twice == 0);
  CHECK(run_though_refused == 0);
  CHECK(not_run_though_told_so == 0);
}

enum class ending { drain, close, stop, shutdown };

void rage(ending how) {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  auto weather = std::make_unique<storm>(seed);
  auto& pool = weather->pool;
  auto& seen = weather->seen;
  watcher eyes{*weather};
  std::atomic<bool> over{false};
  std::thread watching([&] {
    while (!over.load()) {
      eyes.look();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (int s = 0; s != submitters; ++s) threads.emplace_back([&, s] { weather->submit(s); });
  // In the middle of it, not after.
  CHECK(test::wait_until([&] { return weather->asks > submitters * asks_each / 3; }));
  std::atomic<bool> shut_down{how != ending::shutdown};
  if (how == ending::close) pool.close();
  if (how == ending::stop) pool.stop();
  if (how == ending::shutdown) {
    pool.async_shutdown({.lame_duck = 5ms, .drain = 5ms, .cancel = 60s},
                        [&](brigade::error_code, brigade::shutdown_report) { shut_down = true; });
  }
  for (auto& thread : threads) thread.join();
  CHECK(test::wait_until([&] { return shut_down.load(); }));
  pool.join();
  CHECK(test::wait_until([&] { return seen.pending == 0; }));
  over = true;
  watching.join();

  auto const m = pool.metrics();
  CHECK(eyes.over_bound == 0);
  CHECK(eyes.unbalanced == 0);
  CHECK(eyes.backwards == 0);
  CHECK(weather->too_many_inside == 0);
  CHECK(balanced(m));
  CHECK(m.queued_jobs + m.running_jobs + m.waiting + m.permits == 0);
  CHECK(m.state == brigade::pool_state::stopped);
  CHECK(seen.jobs_destroyed == seen.jobs_made);
  check_fates(weather->fates());

  // The books. Each ask is in one of three: admitted, run by its caller, or refused.
  CHECK(m.admitted + m.caller_ran + m.rejected.total() == seen.asked);
  std::uint64_t begun = 0;
  std::array<std::uint64_t, 2> ended_unrun{};  // told expired, told shed
  for (auto const& fate : weather->fates()) {
    begun += fate.begun != 0;
    ended_unrun[0] += fate.told != 0 && fate.why == errc::expired;
    ended_unrun[1] += fate.told != 0 && fate.why == errc::shed;
  }
  // A coroutine that a stop() cancels before its body has begun was running all the same.
  CHECK(m.completed + m.failed + m.caller_ran >= begun + seen.posts_ran);
  if (how != ending::stop && how != ending::shutdown) {
    CHECK(m.completed + m.failed + m.caller_ran == begun + seen.posts_ran);
  }
  CHECK(m.expired + m.rejected.expired >= ended_unrun[0]);
  CHECK(m.shed >= ended_unrun[1]);
  CHECK(seen.posted >= seen.posts_ran);
}

}  // namespace

TEST_CASE("whatever way in, one outcome each: the pool is joined", "[stress][ways_in]") {
  rage(ending::drain);
}
TEST_CASE("whatever way in, one outcome each: it closes in the middle", "[stress][ways_in]") {
  rage(ending::close);
}
TEST_CASE("whatever way in, one outcome each: it stops in the middle", "[stress][ways_in]") {
  rage(ending::stop);
}
TEST_CASE("whatever way in, one outcome each: it is shut down in the middle", "[stress][ways_in]") {
  rage(ending::shutdown);
}

TEST_CASE("those who wait are served in the order in which each thread came", "[stress][ways_in]") {
  constexpr int threads = 4;
  constexpr int each = 150;
  brigade::worker_pool pool{
      {.threads = 1, .capacity = 1, .max_waiting = std::size_t{threads} * each}};
  std::atomic<bool> open{false};
  CHECK_FALSE(pool.try_post([&] { open.wait(false); }));
  std::array<std::vector<int>, threads> served;  // by the one worker
  std::atomic<int> told{0};
  std::vector<std::thread> crowd;
  for (int t = 0; t != threads; ++t) {
    crowd.emplace_back([&, t] {
      for (int i = 0; i != each; ++i) {
        pool.async_submit([&served, t, i] { served[static_cast<std::size_t>(t)].push_back(i); },
                          {.when_full = overflow::wait},
                          [&](std::exception_ptr failure) { told += failure ? 1'000'000 : 1; });
      }
    });
  }
  for (auto& thread : crowd) thread.join();
  CHECK(pool.metrics().waiting == std::uint64_t{threads} * each);
  open = true;
  open.notify_all();
  CHECK(test::wait_until([&] { return told == threads * each; }));
  for (auto const& one : served) {
    CHECK(one.size() == each);
    CHECK(std::is_sorted(one.begin(), one.end()));
  }
}

TEST_CASE("permits are granted in the order in which they were asked for", "[stress][ways_in]") {
  constexpr int asks = 300;
  brigade::worker_pool pool{{.threads = 2, .capacity = 1, .max_waiting = asks}};
  asio::io_context home;
  std::vector<int> granted;
  auto first = pool.try_reserve();
  REQUIRE(first.has_value());
  for (int i = 0; i != asks; ++i) {
    auto take = [&granted, i](brigade::error_code refused, brigade::permit slot) {
      if (!refused && slot) granted.push_back(i);  // and gives it to the next one
    };
    pool.async_reserve(asio::bind_executor(home, take));
  }
  first->release();
  home.run();
  CHECK(granted.size() == asks);
  CHECK(std::is_sorted(granted.begin(), granted.end()));
  CHECK(pool.metrics().permits == 0);
}

// Nothing happens to the pool but what the waiters themselves do: if one hand-over got lost, those
// behind it would wait for ever.
TEST_CASE("no hand-over is lost", "[stress][ways_in]") {
  auto const lanes = GENERATE(std::vector<brigade::lane_options>{},
                              std::vector<brigade::lane_options>{{.capacity = 1}, {.capacity = 1}},
                              std::vector<brigade::lane_options>{{}, {.capacity = 2}, {}});
  constexpr int threads = 4;
  constexpr int each = 400;
  auto const capacity_here = lanes.size() == 3 ? 3U : 1U;
  brigade::worker_pool pool{{.threads = 2,
                             .capacity = capacity_here,
                             .max_waiting = std::size_t{threads} * each,
                             .lanes = lanes}};
  std::atomic<int> told{0};
  std::atomic<int> stuck{0};
  std::vector<std::thread> crowd;
  for (int t = 0; t != threads; ++t) {
    crowd.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      asio::cancellation_signal signal;
      for (int i = 0; i != each; ++i) {
        brigade::submit_options const wait{
            .when_full = overflow::wait,
            .lane = lanes.empty() ? 0 : static_cast<unsigned>(random() % lanes.size())};
        auto const tell = [&](std::exception_ptr) { told.fetch_add(1); };
        switch (random() % 4) {
          case 0:
            pool.async_reserve(wait,
                               [&](brigade::error_code, brigade::permit) { told.fetch_add(1); });
            break;
          case 1:
            pool.async_submit([] {}, wait, asio::bind_cancellation_slot(signal.slot(), tell));
            signal.emit(asio::cancellation_type::total);
            break;
          default: pool.async_submit([] {}, wait, tell);
        }
        if (random() % 16 == 0) {  // let the line run dry
          if (!test::wait_until([&] { return pool.metrics().waiting == 0; })) stuck.fetch_add(1);
        }
      }
    });
  }
  for (auto& thread : crowd) thread.join();
  CHECK(test::wait_until([&] { return told == threads * each; }));
  CHECK(stuck == 0);
  CHECK(pool.metrics().waiting == 0);
}

TEST_CASE("a line for one lane does not refuse those of another", "[stress][ways_in]") {
  brigade::worker_pool pool{
      {.threads = 2, .capacity = 64, .max_waiting = 16, .lanes = {{}, {.capacity = 1}}}};
  std::atomic<bool> open{false};
  CHECK_FALSE(pool.try_post([&] { open.wait(false); }, {.lane = 1}));
  std::atomic<bool> over{false};
  std::atomic<int> told{0};
  int asked = 0;
  std::thread crowd([&] {
    asio::cancellation_signal signal;
    while (!over) {
      pool.async_submit([] {}, {.when_full = overflow::wait, .lane = 1},
                        asio::bind_cancellation_slot(
                            signal.slot(), [&](std::exception_ptr) { told.fetch_add(1); }));
      ++asked;
      if (asked % 2 == 0) signal.emit(asio::cancellation_type::terminal);
    }
  });
  int refused = 0;
  for (int i = 0; i != 5'000; ++i) {
    std::promise<void> ran;
    if (pool.try_post([&] { ran.set_value(); })) {
      ++refused;
    } else {
      ran.get_future().get();
    }
  }
  over = true;
  crowd.join();
  open = true;
  open.notify_all();
  CHECK(test::wait_until([&] { return told == asked; }));
  CHECK(refused == 0);
}
