// User code that throws at every point where the pool calls it.
// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "support/blocker.hpp"
#include "support/catch.hpp"
#include "support/tracked_job.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;

namespace {

void check_at_rest(brigade::worker_pool& pool) {
  pool.join();
  auto const now = pool.metrics();
  CHECK(now.queued_jobs + now.running_jobs == 0);
  CHECK(now.admitted == now.completed + now.failed + now.cancelled + now.expired + now.shed);
}

// Calls `submit(pool, track)` with the nth copy throwing, for every n; returns how many there were.
template <class Submit>
int throw_at_every_copy(Submit submit) {
  for (int nth = 0;; ++nth) {
    REQUIRE(nth < 100);
    INFO("copy or move " << nth);
    test::job_track track;
    bool threw = false;
    {
      brigade::worker_pool pool{{.threads = 1, .capacity = 64}};
      track.copies_until_throw = nth;
      try {
        submit(pool, track);
      } catch (std::runtime_error const&) {
        threw = true;
      }
      bool const never_came = track.copies_until_throw.exchange(-1) >= 0;
      CHECK_FALSE((threw && never_came));
      // The pool works on behind the position that was given up.
      std::atomic<bool> next{false};
      CHECK_FALSE(pool.try_post([&] { next = true; }));
      CHECK(test::wait_until([&] { return next.load(); }));
      check_at_rest(pool);
      if (never_came) {
        CHECK(track.runs > 0);
        return nth;
      }
    }
    CHECK(track.alive == 0);
  }
}

// Goes over jobs, and throws at its nth use.
struct throwing_iterator {
  using value_type = test::tracked_job<8>;
  using difference_type = std::ptrdiff_t;
  using pointer = value_type const*;
  using reference = value_type;
  using iterator_category = std::forward_iterator_tag;

  value_type operator*() const {
    if (place == throws_at && !in_step) throw std::runtime_error("no such element");
    return value_type(*track);
  }
  throwing_iterator& operator++() {
    if (place == throws_at && in_step && *counted) throw std::runtime_error("no next element");
    ++place;
    return *this;
  }
  throwing_iterator operator++(int) {
    auto const old = *this;
    ++*this;
    return old;
  }
  bool operator==(throwing_iterator const& other) const {
    if (place == 5) *counted = true;  // std::distance has been there
    return place == other.place;
  }

  test::job_track* track = nullptr;
  bool* counted = nullptr;
  int place = 0;
  int throws_at = -1;
  bool in_step = false;
};

template <class T>
struct throwing_allocator {
  using value_type = T;
  throwing_allocator() = default;
  template <class U>
  throwing_allocator(throwing_allocator<U> const&) noexcept {}
  T* allocate(std::size_t) { throw std::bad_alloc{}; }
  void deallocate(T*, std::size_t) noexcept {}
  template <class U>
  bool operator==(throwing_allocator<U> const&) const noexcept {
    return true;
  }
};

}  // namespace

TEST_CASE("a job may throw wherever it is copied or moved", "[faults][throwing]") {
  SECTION("try_post, in the cell's size") {
    CHECK(throw_at_every_copy([](brigade::worker_pool& pool, test::job_track& track) {
            test::tracked_job<8> const job(track);
            if (pool.try_post(job)) FAIL("refused");
          }) >= 1);
  }
  SECTION("try_post, boxed") {
    CHECK(throw_at_every_copy([](brigade::worker_pool& pool, test::job_track& track) {
            test::tracked_job<100> const job(track);
            if (pool.try_post(job)) FAIL("refused");
          }) >= 1);
  }
  SECTION("try_post on terms") {
    CHECK(throw_at_every_copy([](brigade::worker_pool& pool, test::job_track& track) {
            test::tracked_job<8> const job(track);
            if (pool.try_post(job, {.name = "named"})) FAIL("refused");
          }) >= 1);
  }
  SECTION("a permit's job") {
    CHECK(throw_at_every_copy([](brigade::worker_pool& pool, test::job_track& track) {
            test::tracked_job<8> const job(track);
            auto permit = pool.try_reserve();
            REQUIRE(permit.has_value());
            if (permit->post(job)) FAIL("refused");
          }) >= 1);
  }
  SECTION("try_post_bulk") {
    CHECK(throw_at_every_copy([](brigade::worker_pool& pool, test::job_track& track) {
            std::vector<test::tracked_job<8>> jobs;
            jobs.reserve(4);
            for (int i = 0; i != 4; ++i) jobs.emplace_back(track);
            if (pool.try_post_bulk(jobs.begin(), jobs.end()) != 4) FAIL("refused");
          }) >= 4);
  }
  SECTION("async_submit") {
    CHECK(throw_at_every_copy([](brigade::worker_pool& pool, test::job_track& track) {
            test::tracked_job<8> const job(track);
            pool.async_submit(job, asio::detached);
          }) >= 1);
  }
  SECTION("async_submit with a stop token") {
    CHECK(throw_at_every_copy([](brigade::worker_pool& pool, test::job_track& track) {
            auto const stoppable = [job = std::make_shared<int>(0),
                                    copy = test::tracked_job<8>(track)](std::stop_token) {
              copy();
            };
            pool.async_submit(stoppable, asio::detached);
          }) >= 1);
  }
}

TEST_CASE("an iterator of try_post_bulk may throw at any of its steps", "[faults][throwing]") {
  for (bool const in_step : {false, true}) {
    for (int at = 0; at != 5; ++at) {
      INFO((in_step ? "step " : "element ") << at);
      test::job_track track;
      {
        brigade::worker_pool pool{{.threads = 1, .capacity = 64}};
        bool counted = false;
        throwing_iterator const first{&track, &counted, 0, at, in_step};
        throwing_iterator const last{&track, &counted, 5, -1, false};
        CHECK_THROWS_AS(pool.try_post_bulk(first, last), std::runtime_error);
        check_at_rest(pool);
        CHECK(track.runs == (in_step ? at + 1 : at));  // those before it were admitted
      }
      CHECK(track.alive == 0);
    }
  }
}

TEST_CASE("an allocator that throws refuses the job, and no slot is lost", "[faults][throwing]") {
  test::job_track track;
  brigade::worker_pool pool{{.threads = 1, .capacity = 1}};
  for (int i = 0; i != 10; ++i) {
    auto handler = asio::bind_allocator(throwing_allocator<void>{}, [](std::exception_ptr) {
      FAIL("a job that was not admitted has no outcome");
    });
    CHECK_THROWS_AS(pool.async_submit(test::movable_job<200>(track), std::move(handler)),
                    std::bad_alloc);
  }
  CHECK(track.alive == 0);
  CHECK_FALSE(pool.try_post([] {}));  // the one slot is free
  check_at_rest(pool);
}

TEST_CASE("jobs, handlers and hooks that all throw cost nothing but their reports",
          "[faults][throwing]") {
  std::atomic<int> hooks{0};
  auto const hook = [&](std::exception_ptr) {
    hooks.fetch_add(1);
    throw std::runtime_error("from the hook");
  };
  brigade::worker_pool pool{
      {.threads = 2, .capacity = 512, .on_job_error = hook, .on_handler_error = hook}};
  constexpr int rounds = 100;
  for (int i = 0; i != rounds; ++i) {
    REQUIRE_FALSE(pool.try_post([] { throw std::runtime_error("from a job"); }));
    pool.async_submit([] { throw std::runtime_error("from a job"); },
                      [](std::exception_ptr) { throw std::runtime_error("from a handler"); });
  }
  pool.join();
  auto const now = pool.metrics();
  CHECK(now.failed == 2 * rounds);
  CHECK(now.admitted == 2 * rounds);
  CHECK(now.handler_errors == rounds);
  CHECK(hooks == 2 * rounds);
}
