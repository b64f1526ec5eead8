// try_post and try_post_bulk: who is admitted, what happens to the callable, and in what order jobs
// run.
// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <iterator>
#include <list>
#include <memory>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

using brigade::errc;

namespace {

// What the copies of one probe have done together.
struct traces {
  std::atomic<int> copies{0};
  std::atomic<int> moves{0};
  std::atomic<int> alive{0};
  std::atomic<int> runs{0};
  std::atomic<int> destroyed_after_run{0};
};

// A callable that knows whether it has been moved from.
class probe {
 public:
  explicit probe(traces& t) : traces_(&t) { t.alive.fetch_add(1); }
  probe(probe const& other) : traces_(other.traces_) {
    traces_->copies.fetch_add(1);
    traces_->alive.fetch_add(1);
  }
  probe(probe&& other) noexcept : traces_(other.traces_) {
    other.moved_from_ = true;
    traces_->moves.fetch_add(1);
    traces_->alive.fetch_add(1);
  }
  probe& operator=(probe const&) = delete;
  ~probe() {
    if (ran_) traces_->destroyed_after_run.fetch_add(1);
    traces_->alive.fetch_sub(1);
  }

  void operator()() {
    ran_ = true;
    traces_->runs.fetch_add(1);
  }
  [[nodiscard]] bool moved_from() const { return moved_from_; }

 private:
  traces* traces_;
  bool moved_from_ = false;
  bool ran_ = false;
};

// Balances, with nothing in flight.
bool at_rest(brigade::worker_pool const& pool) {
  auto const m = pool.metrics();
  return m.queued_jobs + m.running_jobs == 0 &&
         m.admitted == m.completed + m.failed + m.cancelled + m.expired + m.shed;
}

void count_up(std::atomic<int>& count) { count.fetch_add(1); }
std::atomic<int> plain_calls{0};
void plain_function() { plain_calls.fetch_add(1); }

struct no_copy : std::runtime_error {
  no_copy() : runtime_error("no copy") {}
};

// A callable whose copies, or moves, throw while told to. `Size` decides where it is kept.
template <std::size_t Size>
struct moody {
  explicit moody(std::atomic<bool>& throws, std::atomic<int>& ran) : throws_(&throws), ran_(&ran) {}
  moody(moody const& other) : throws_(other.throws_), ran_(other.ran_) { check(); }
  moody(moody&& other) noexcept(false) : throws_(other.throws_), ran_(other.ran_) { check(); }
  moody& operator=(moody const&) = delete;
  void operator()() const { ran_->fetch_add(1); }

 private:
  void check() const {
    if (*throws_) throw no_copy{};
  }
  std::atomic<bool>* throws_;
  std::atomic<int>* ran_;
  std::array<std::byte, Size> ballast_{};
};

// The same, but it can be moved without a throw, so that it is kept in the queue itself.
struct copy_shy {
  copy_shy(bool throws, std::atomic<int>& ran) : throws_(throws), ran_(&ran) {}
  copy_shy(copy_shy const& other) : throws_(other.throws_), ran_(other.ran_) {
    if (throws_) throw no_copy{};
  }
  copy_shy(copy_shy&&) noexcept = default;
  copy_shy& operator=(copy_shy const&) = delete;
  copy_shy& operator=(copy_shy&&) = delete;
  void operator()() const { ran_->fetch_add(1); }

 private:
  bool throws_;
  std::atomic<int>* ran_;
};

template <std::size_t Alignment, std::size_t Size>
struct alignas(Alignment) aligned_job {
  aligned_job(std::atomic<int>& good, std::atomic<int>& bad) : good_(&good), bad_(&bad) {}
  void operator()() {
    auto const address = reinterpret_cast<std::uintptr_t>(this);
    (address % Alignment == 0 ? good_ : bad_)->fetch_add(1);
  }
  std::atomic<int>* good_;
  std::atomic<int>* bad_;
  std::array<std::byte, Size> ballast_{};
};

}  // namespace

// ── the bound ──

TEST_CASE("exactly as many jobs are admitted as the capacity says", "[contract][try_post]") {
  for (std::size_t const capacity : {1U, 2U, 3U, 64U, 65U, 1'000U}) {
    brigade::worker_pool pool{{.threads = 1, .capacity = capacity}};
    test::blocker gate;
    REQUIRE(gate.occupy(pool, 1));
    std::atomic<std::size_t> ran{0};
    for (std::size_t i = 1; i != capacity; ++i) {
      REQUIRE_FALSE(pool.try_post([&] { ran.fetch_add(1); }));
    }
    for (int i = 0; i != 3; ++i) CHECK(pool.try_post([] {}) == errc::queue_full);
    CHECK(pool.metrics().admitted == capacity);
    CHECK(pool.metrics().rejected.queue_full == 3);
    gate.open();
    pool.join();
    CHECK(ran == capacity - 1);
    CHECK(at_rest(pool));
  }
}

TEST_CASE("a job that has ended gives its slot to the next one", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  for (int round = 0; round != 100; ++round) {
    test::blocker gate;
    REQUIRE(gate.occupy(pool, 1));
    REQUIRE_FALSE(pool.try_post([] {}));
    REQUIRE(pool.try_post([] {}) == errc::queue_full);
    gate.open();
    REQUIRE(test::wait_until([&] { return at_rest(pool); }));
  }
}

TEST_CASE("a running job holds its slot", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 2}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 2));
  CHECK(pool.try_post([] {}) == errc::queue_full);
}

TEST_CASE("a job may post to its own pool, and is refused where it is full",
          "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 2}};
  std::promise<std::pair<brigade::error_code, brigade::error_code>> answers;
  std::atomic<bool> ran{false};
  REQUIRE_FALSE(pool.try_post([&] {
    auto const first = pool.try_post([&] { ran = true; });
    answers.set_value({first, pool.try_post([] {})});
  }));
  auto const [first, second] = answers.get_future().get();
  CHECK_FALSE(first);
  CHECK(second == errc::queue_full);
  pool.join();
  CHECK(ran);
}

// ── the callable ──

TEST_CASE("a refused callable is neither moved from nor copied", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  traces seen;
  probe job{seen};
  std::array<char, 100> const ballast{};
  auto large = [job = probe{seen}, ballast]() mutable {
    static_cast<void>(ballast);
    job();
  };
  auto owner = [kept = std::make_unique<int>(7)] { static_cast<void>(*kept); };
  auto const moves = seen.moves.load();
  SECTION("because the pool is full") {}
  SECTION("because the pool is closed") { pool.close(); }
  SECTION("because the pool is stopped") { pool.stop(); }

  CHECK(pool.try_post(std::move(job)));
  CHECK(pool.try_post(job));
  CHECK(pool.try_post(std::move(large)));
  CHECK(pool.try_post(std::move(owner)));
  CHECK_FALSE(job.moved_from());
  CHECK(seen.copies == 0);
  CHECK(seen.moves == moves);
  CHECK(seen.runs == 0);
  gate.open();
  pool.join();
  CHECK(pool.try_post(std::move(owner)) == errc::closed);
  CHECK_NOTHROW(owner());  // it still owns its int
  CHECK(seen.runs == 0);
}

TEST_CASE("an lvalue is copied and an rvalue is moved", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1}};
  traces seen;
  probe job{seen};
  REQUIRE_FALSE(pool.try_post(job));
  CHECK(test::wait_until([&] { return at_rest(pool); }));
  CHECK(seen.copies == 1);
  CHECK_FALSE(job.moved_from());
  REQUIRE_FALSE(pool.try_post(std::as_const(job)));
  CHECK(seen.copies == 2);
  REQUIRE_FALSE(pool.try_post(std::move(job)));
  CHECK(seen.copies == 2);
  CHECK(job.moved_from());
  pool.join();
  CHECK(seen.runs == 3);
}

TEST_CASE("a callable is run once, and destroyed once, after it has run", "[contract][try_post]") {
  traces seen;
  {
    brigade::worker_pool pool{{.threads = 2, .capacity = 1'000}};
    for (int i = 0; i != 500; ++i) REQUIRE_FALSE(pool.try_post(probe{seen}));
    std::array<char, 100> const ballast{};
    for (int i = 0; i != 500; ++i) {
      REQUIRE_FALSE(pool.try_post([job = probe{seen}, ballast]() mutable {
        static_cast<void>(ballast);
        job();
      }));
    }
    pool.join();
    CHECK(seen.alive == 0);
  }
  CHECK(seen.runs == 1'000);
  CHECK(seen.destroyed_after_run == 1'000);
  CHECK(seen.alive == 0);
}

TEST_CASE("a callable is gone before its slot is free", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  for (int i = 0; i != 1'000; ++i) {
    auto kept = std::make_shared<int>(i);
    std::weak_ptr<int> const job = kept;
    auto owner = [kept = std::move(kept)] { static_cast<void>(*kept); };
    REQUIRE(test::wait_until([&] { return !pool.try_post(std::move(owner)); }));
    REQUIRE(test::wait_until([&] { return !pool.try_post([] {}); }));
    REQUIRE(job.expired());
  }
}

TEST_CASE("a cancelled callable is destroyed without having run", "[contract][try_post]") {
  traces seen;
  brigade::worker_pool pool{{.threads = 1, .capacity = 3}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  REQUIRE_FALSE(pool.try_post(probe{seen}));
  REQUIRE_FALSE(pool.try_post([job = probe{seen}, ballast = std::array<char, 100>{}]() mutable {
    static_cast<void>(ballast);
    job();
  }));
  pool.stop();
  CHECK(seen.alive == 0);  // at once, though the worker is busy
  gate.open();
  pool.join();
  CHECK(seen.runs == 0);
  CHECK(pool.metrics().cancelled == 2);
}

TEST_CASE("jobs run in the order in which they were posted, if one worker runs them",
          "[contract][try_post]") {
  for (std::size_t const capacity : {3U, 100U}) {
    brigade::worker_pool pool{{.threads = 1, .capacity = capacity}};
    std::vector<int> order;
    int posted = 0;
    while (posted != 1'000) {
      if (!pool.try_post([&order, posted] { order.push_back(posted); })) ++posted;
    }
    pool.join();
    CHECK(order.size() == 1'000);
    CHECK(std::is_sorted(order.begin(), order.end()));
  }
}

TEST_CASE("every kind of callable can be posted", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::atomic<int> ran{0};
  int const calls_before = plain_calls;

  struct const_only {
    std::atomic<int>& ran;
    void operator()() const { ran.fetch_add(1); }
  };
  struct rvalue_only {
    std::atomic<int>& ran;
    void operator()() && { ran.fetch_add(1); }
  };
  struct const_rvalue {
    std::atomic<int>& ran;
    void operator()() const&& { ran.fetch_add(1); }
  };
  struct with_result {
    std::atomic<int>& ran;
    std::unique_ptr<int> operator()() { return std::make_unique<int>(ran.fetch_add(1)); }
  };
  REQUIRE_FALSE(pool.try_post(const_only{ran}));
  const_only const constant{ran};
  REQUIRE_FALSE(pool.try_post(constant));
  REQUIRE_FALSE(pool.try_post(rvalue_only{ran}));
  REQUIRE_FALSE(pool.try_post(const_rvalue{ran}));
  REQUIRE_FALSE(pool.try_post(with_result{ran}));  // thrown away, though it is not copyable
  REQUIRE_FALSE(pool.try_post(std::function<void()>([&] { ran.fetch_add(1); })));
  std::function<void()> const function = [&] { ran.fetch_add(1); };
  REQUIRE_FALSE(pool.try_post(function));
  REQUIRE_FALSE(pool.try_post(std::bind_front(count_up, std::ref(ran))));
  REQUIRE_FALSE(pool.try_post(std::bind(count_up, std::ref(ran))));
  std::packaged_task<void()> task([&] { ran.fetch_add(1); });
  auto done = task.get_future();
  REQUIRE_FALSE(pool.try_post(std::move(task)));
  auto lambda = [&]() mutable noexcept { ran.fetch_add(1); };
  REQUIRE_FALSE(pool.try_post(std::ref(lambda)));
  REQUIRE_FALSE(pool.try_post(plain_function));
  REQUIRE_FALSE(pool.try_post(&plain_function));
  pool.join();
  CHECK_NOTHROW(done.get());
  CHECK(ran == 11);
  CHECK(plain_calls == calls_before + 2);
}

TEST_CASE("an empty std::function is a job that fails", "[contract][try_post]") {
  std::exception_ptr told;
  brigade::worker_pool pool{
      {.threads = 1, .on_job_error = [&](std::exception_ptr failure) { told = failure; }}};
  REQUIRE_FALSE(pool.try_post(std::function<void()>{}));
  pool.join();
  CHECK_THROWS_AS(std::rethrow_exception(told), std::bad_function_call);
}

TEST_CASE("a callable of any size keeps its content", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 100}};
  std::atomic<long> sum{0};
  auto const post_filled = [&]<std::size_t Size>(std::integral_constant<std::size_t, Size>) {
    std::array<unsigned char, Size> content;
    std::iota(content.begin(), content.end(), static_cast<unsigned char>(1));
    return !pool.try_post(
        [content, &sum] { sum.fetch_add(std::accumulate(content.begin(), content.end(), 0L)); });
  };
  CHECK(post_filled(std::integral_constant<std::size_t, 1>{}));
  CHECK(post_filled(std::integral_constant<std::size_t, 40>{}));  // 48 bytes with the reference
  CHECK(post_filled(std::integral_constant<std::size_t, 41>{}));
  CHECK(post_filled(std::integral_constant<std::size_t, 100>{}));
  CHECK(post_filled(std::integral_constant<std::size_t, 10'000>{}));
  pool.join();
  long expected = 0;
  for (int const size : {1, 40, 41, 100, 10'000}) {
    for (int i = 1; i <= size; ++i) expected += i % 256;
  }
  CHECK(sum == expected);
}

TEST_CASE("a callable is aligned as its type asks for", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 1'000}};
  std::atomic<int> good{0};
  std::atomic<int> bad{0};
  for (int i = 0; i != 100; ++i) {
    REQUIRE_FALSE(pool.try_post(aligned_job<16, 16>{good, bad}));
    REQUIRE_FALSE(pool.try_post(aligned_job<16, 100>{good, bad}));
    REQUIRE_FALSE(pool.try_post(aligned_job<32, 8>{good, bad}));
    REQUIRE_FALSE(pool.try_post(aligned_job<64, 8>{good, bad}));
    REQUIRE_FALSE(pool.try_post(aligned_job<256, 100>{good, bad}));
  }
  pool.join();
  CHECK(good == 500);
  CHECK(bad == 0);
}

// ── copies and moves that throw ──

TEST_CASE("what a copy throws reaches the caller, and nothing was admitted",
          "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 4}};
  std::atomic<int> ran{0};
  std::atomic<bool> throws{true};
  SECTION("of a small callable") {
    copy_shy const job(true, ran);
    for (int i = 0; i != 20; ++i) CHECK_THROWS_AS(pool.try_post(job), no_copy);
  }
  SECTION("of a callable that may throw when it is moved") {
    moody<1> const job(throws, ran);
    for (int i = 0; i != 20; ++i) CHECK_THROWS_AS(pool.try_post(job), no_copy);
  }
  SECTION("of a large callable") {
    moody<200> const job(throws, ran);
    for (int i = 0; i != 20; ++i) CHECK_THROWS_AS(pool.try_post(job), no_copy);
  }
  SECTION("or a move") {
    for (int i = 0; i != 20; ++i) {
      throws = true;
      moody<1> job(throws, ran);
      CHECK_THROWS_AS(pool.try_post(std::move(job)), no_copy);
    }
  }
  CHECK(pool.metrics().admitted == 0);
  CHECK(pool.metrics().failed == 0);
  CHECK(at_rest(pool));
  throws = false;
  {
    test::blocker gate;  // all four slots are still there
    REQUIRE(gate.occupy(pool, 1));
    for (int i = 0; i != 3; ++i) CHECK_FALSE(pool.try_post(moody<1>(throws, ran)));
    CHECK(pool.try_post([] {}) == errc::queue_full);
  }
  pool.join();
  CHECK(ran == 3);
  CHECK(pool.metrics().admitted == 4);
  CHECK(at_rest(pool));
}

TEST_CASE("a callable that throws when it is moved is admitted if it does not",
          "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 2}};
  std::atomic<bool> throws{false};
  std::atomic<int> ran{0};
  for (int i = 0; i != 100; ++i) REQUIRE_FALSE(pool.try_post(moody<1>(throws, ran)));
  // Once admitted it is not moved any more, so nothing can throw behind the caller's back.
  throws = true;
  pool.join();
  CHECK(ran == 100);
  CHECK(pool.metrics().failed == 0);
}

TEST_CASE("a job that was posted while another one's copy threw is not forgotten",
          "[contract][try_post]") {
  struct slow_copy {
    test::blocker* copying;
    explicit slow_copy(test::blocker& gate) : copying(&gate) {}
    slow_copy(slow_copy const& other) : copying(other.copying) {
      copying->wait();
      throw no_copy{};
    }
    void operator()() const {}
  };
  brigade::worker_pool pool{{.threads = 1, .linger = std::chrono::microseconds{0}}};
  std::atomic<bool> ran{false};
  test::blocker copying;
  bool threw = false;
  std::thread first([&] {
    slow_copy const job(copying);
    try {
      static_cast<void>(pool.try_post(job));
    } catch (no_copy const&) {
      threw = true;
    }
  });
  REQUIRE(test::wait_until([&] { return copying.waiting() == 1; }));
  REQUIRE_FALSE(pool.try_post([&] { ran = true; }));
  // The worker that was woken for it finds nothing it could take yet, and sleeps again.
  CHECK(test::wait_until([&] { return pool.metrics().active_workers == 0; }));
  bool stopped = false;
  SECTION("it runs") {}
  SECTION("it is cancelled if the pool was stopped meanwhile") {
    pool.stop();
    stopped = true;
  }
  copying.open();
  first.join();
  CHECK(threw);
  CHECK(test::wait_until([&] { return at_rest(pool); }, std::chrono::seconds{10}));
  CHECK(ran != stopped);
  CHECK(pool.metrics().cancelled == (stopped ? 1 : 0));
}

// ── bulk ──

TEST_CASE("try_post_bulk of an empty range admits nothing and refuses nothing",
          "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1}};
  std::vector<std::function<void()>> none;
  CHECK(pool.try_post_bulk(none.begin(), none.end()) == 0);
  CHECK(pool.metrics().admitted == 0);
  CHECK(pool.metrics().rejected.total() == 0);
}

TEST_CASE("try_post_bulk admits the longest prefix that fits", "[contract][try_post]") {
  for (std::size_t const capacity : {1U, 2U, 5U, 64U, 100U, 1'000U}) {
    brigade::worker_pool pool{{.threads = 1, .capacity = capacity}};
    test::blocker gate;
    REQUIRE(gate.occupy(pool, 1));
    std::vector<int> order;
    std::vector<std::function<void()>> jobs;
    for (int i = 0; i != 300; ++i) jobs.emplace_back([&order, i] { order.push_back(i); });
    auto const expected = std::min<std::size_t>(300, capacity - 1);
    CHECK(pool.try_post_bulk(jobs.begin(), jobs.end()) == expected);
    CHECK(pool.metrics().admitted == expected + 1);
    CHECK(pool.metrics().rejected.queue_full == (expected < 300 ? 1 : 0));
    gate.open();
    pool.join();
    CHECK(order.size() == expected);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(at_rest(pool));
  }
}

TEST_CASE("try_post_bulk leaves what is behind the prefix untouched", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 4}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 1));
  traces seen;
  std::vector<probe> jobs;
  jobs.reserve(6);
  for (int i = 0; i != 6; ++i) jobs.emplace_back(seen);
  auto const from = std::make_move_iterator(jobs.begin());
  CHECK(pool.try_post_bulk(from, std::make_move_iterator(jobs.end())) == 3);
  for (std::size_t i = 0; i != 6; ++i) CHECK(jobs[i].moved_from() == (i < 3));
  CHECK(seen.copies == 0);
  pool.close();
  CHECK(pool.try_post_bulk(from, std::make_move_iterator(jobs.end())) == 0);
  CHECK_FALSE(jobs[5].moved_from());
  CHECK(pool.metrics().rejected.closed == 1);
  gate.open();
  pool.join();
  CHECK(seen.runs == 3);
}

TEST_CASE("try_post_bulk copies lvalues, and moves those that cannot be copied",
          "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1}};
  traces seen;
  {
    std::vector<probe> const jobs(5, probe{seen});
    auto const copies = seen.copies.load();
    CHECK(pool.try_post_bulk(jobs.begin(), jobs.end()) == 5);
    CHECK(seen.copies == copies + 5);
  }
  std::atomic<int> sum{0};
  auto const make = [&](int i) {
    return [&sum, kept = std::make_unique<int>(i)] { sum.fetch_add(*kept); };
  };
  std::vector<decltype(make(0))> owners;
  for (int i = 0; i != 10; ++i) owners.push_back(make(i));
  CHECK(pool.try_post_bulk(owners.begin(), owners.end()) == 10);
  pool.join();
  CHECK(seen.runs == 5);
  CHECK(sum == 45);
}

TEST_CASE("try_post_bulk takes any forward range", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 2}};
  std::atomic<int> ran{0};
  auto const job = [&] { ran.fetch_add(1); };
  std::list const list(7, job);
  CHECK(pool.try_post_bulk(list.begin(), list.end()) == 7);
  std::array const large(std::to_array({std::pair{job, std::array<char, 100>{}}}));
  auto const wrap = [](auto const& pair) { return [pair] { pair.first(); }; };
  std::vector const heap(3, wrap(large[0]));
  CHECK(pool.try_post_bulk(heap.data(), heap.data() + heap.size()) == 3);
  pool.join();
  CHECK(ran == 10);
}

TEST_CASE("try_post_bulk takes a view that makes its jobs", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 2, .capacity = 4}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 2));
  std::atomic<int> sum{0};
  auto const make = [&sum](int number) { return [&sum, number] { sum.fetch_add(number); }; };
  auto const jobs = std::views::iota(1, 7) | std::views::transform(make);
  CHECK(pool.try_post_bulk(jobs.begin(), jobs.end()) == 2);
  gate.open();
  pool.join();
  CHECK(sum == 1 + 2);
}

TEST_CASE("try_post_bulk wakes enough workers for all of it", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 4}};
  test::blocker gate;
  auto const job = [&] { gate.wait(); };
  std::vector const jobs(4, job);
  CHECK(pool.try_post_bulk(jobs.begin(), jobs.end()) == 4);
  CHECK(test::wait_until([&] { return gate.waiting() == 4; }));
}

TEST_CASE("a copy that throws in the middle of try_post_bulk admits what is before it",
          "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 50}};
  std::atomic<int> ran{0};
  std::list<copy_shy> jobs;
  for (int i = 0; i != 20; ++i) jobs.emplace_back(i == 12, ran);
  CHECK_THROWS_AS(pool.try_post_bulk(jobs.begin(), jobs.end()), no_copy);
  CHECK(test::wait_until([&] { return ran == 12; }));
  CHECK(test::wait_until([&] { return at_rest(pool); }));
  CHECK(pool.metrics().admitted == 12);
  CHECK(pool.metrics().completed == 12);
  {
    test::blocker gate;  // all fifty slots are still there
    REQUIRE(gate.occupy(pool, 1));
    auto const job = [&] { ran.fetch_add(1); };
    std::vector const more(60, job);
    CHECK(pool.try_post_bulk(more.begin(), more.end()) == 49);
  }
  pool.join();
  CHECK(ran == 12 + 49);
  CHECK(at_rest(pool));
}

TEST_CASE("try_post_bulk from inside a job", "[contract][try_post]") {
  brigade::worker_pool pool{{.threads = 1, .capacity = 5}};
  std::promise<std::size_t> first;
  std::promise<std::size_t> while_draining;
  std::atomic<int> ran{0};
  auto const job = [&] { ran.fetch_add(1); };
  std::vector const jobs(10, job);
  REQUIRE_FALSE(
      pool.try_post([&] { first.set_value(pool.try_post_bulk(jobs.begin(), jobs.end())); }));
  CHECK(first.get_future().get() == 4);
  REQUIRE(test::wait_until([&] { return at_rest(pool); }));
  test::blocker gate;
  REQUIRE_FALSE(pool.try_post([&] {
    gate.wait();
    while_draining.set_value(pool.try_post_bulk(jobs.begin(), jobs.end()));
  }));
  REQUIRE(test::wait_until([&] { return gate.waiting() == 1; }));
  pool.close();
  CHECK(pool.try_post_bulk(jobs.begin(), jobs.end()) == 0);
  gate.open();
  CHECK(while_draining.get_future().get() == 4);
  pool.join();
  CHECK(ran == 8);
}

TEST_CASE("try_post_bulk from many threads keeps the bound", "[contract][try_post]") {
  constexpr std::size_t capacity = 10;
  brigade::worker_pool pool{{.threads = 2, .capacity = capacity}};
  test::blocker gate;
  REQUIRE(gate.occupy(pool, 2));
  auto const job = [] {};
  std::vector const jobs(3, job);
  std::atomic<std::size_t> admitted{2};
  std::vector<std::thread> submitters;
  for (int s = 0; s != 4; ++s) {
    submitters.emplace_back([&] {
      for (int i = 0; i != 100; ++i)
        admitted.fetch_add(pool.try_post_bulk(jobs.begin(), jobs.end()));
    });
  }
  for (auto& thread : submitters) thread.join();
  CHECK(admitted == capacity);
  CHECK(pool.metrics().admitted == capacity);
}
