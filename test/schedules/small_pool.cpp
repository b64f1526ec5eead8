// SPDX-License-Identifier: BSL-1.0
#include "schedules/small_pool.hpp"

#include <chrono>
#include <iterator>
#include <utility>

#include <brigade/detail/held_slot.hpp>
#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/pool_core.hpp>
#include <brigade/detail/post_job.hpp>
#include <brigade/detail/relax.hpp>

namespace test::schedules {

using namespace brigade::detail;

namespace {

std::array<bool, 16> runs_job{};  // by thread of the world

}  // namespace

/// What is posted. Touches the cell wherever it is written and read.
class small_pool::job {
 public:
  job(small_pool& pool, std::size_t number, body also) noexcept
      : pool_(&pool), number_(number), also_(also) {}
  job(job&& other) noexcept : pool_(other.pool_), number_(other.number_), also_(other.also_) {
    world::current().touch(&other);
    world::current().touch(this);
  }
  void operator()() && { pool_->run(number_, also_); }

 private:
  small_pool* pool_;
  std::size_t number_;
  body also_;
};

class small_pool::one_in_line final : public waiter {
 public:
  one_in_line(small_pool& pool, std::size_t number) noexcept
      : waiter(0, submitter::waiting), pool_(&pool), number_(number) {}

  void admit(pool_core& core, admission_claim const& claim) override {
    pool_->admitted(1);
    pool_->jobs_[number_].admitted = true;
    pool_->tell_in_line();
    fill<job>(core, claim, 0, job(*pool_, number_, nullptr));
    core.wake_if_needed();
  }
  void refuse(pool_core&, brigade::error_code const&) override { pool_->tell_in_line(); }
  [[nodiscard]] brigade::error_code given_up() const noexcept override { return {}; }

 private:
  small_pool* pool_;
  std::size_t number_;
};

small_pool::small_pool(world& w, shape const& s) : world_(w), shape_(s) {
  runs_job.fill(false);
  brigade::pool_options options;
  options.threads = s.workers;
  options.capacity = s.capacity;
  options.max_waiting = most_jobs;
  options.linger = std::chrono::microseconds{0};
  options.turn_jobs = s.turn_jobs;
  if (s.two_lanes) options.lanes = {{.capacity = 2}, {.capacity = 2}};
  options.turn_time = std::chrono::hours{1};
  core_ = std::make_shared<pool_core>(std::move(options));
  core_->on_admission = [this](std::uint64_t count) { admitted(count); };
  core_->on_early_end = [this] { --in_flight_; };
  core_->on_finish = [this] {
    ++finishes_;
    world_.expect(in_flight_ == 0, "the end was noticed while jobs were in flight");
    for (std::size_t i = 0; i != most_jobs; ++i) {
      if (jobs_[i].ran != 0) world_.touch(&done_[i]);
    }
  };
}

// What nobody came for may hold the core that it waits in.
small_pool::~small_pool() {
  core_->executor().clear();
  core_->strand().clear();
}

void small_pool::add_workers() {
  for (unsigned i = 0; i != shape_.workers; ++i) {
    world_.thread("worker", [this] {
      for (;;) core_->executor().await()();
    });
  }
}

void small_pool::add_strand() {
  world_.thread("strand", [this] {
    for (;;) core_->strand().await()->run();
  });
}

void small_pool::begin_two_turns() {
  auto& workers = core_->workers();
  unsigned slots[2] = {};
  world_.expect(workers.claim_wake(slots[0]), "there was no idle worker");
  workers.end_search();
  world_.expect(workers.claim_wake(slots[1]), "there was no idle worker");
  core_->post_turn(slots[1], true);
  core_->post_turn(slots[0], false);
}

void small_pool::admitted(std::uint64_t count) {
  in_flight_ += count;
  world_.expect(in_flight_ <= shape_.capacity, "the bound was passed");
}

void small_pool::tell_in_line() {
  ++told_in_line_;
  tell();
}

void small_pool::run(std::size_t number, body also) {
  auto const thread = world_.running();
  runs_job[thread] = true;
  ++jobs_[number].ran;
  world_.expect(jobs_[number].ran == 1, "a job ran twice");
  world_.touch(&done_[number]);
  // With one slot, all who ever had it come one after the other.
  if (shape_.capacity == 1) world_.touch(this);
  if (also != nullptr) also(*this);
  ++ran_;
  --in_flight_;
  runs_job[thread] = false;
}

brigade::error_code small_pool::post(std::size_t number, body also) {
  auto const verdict = brigade::detail::post(*core_, job(*this, number, also));
  if (!verdict) jobs_[number].admitted = true;
  return verdict;
}

std::size_t small_pool::post_two(body first, body second) {
  std::array jobs{job(*this, 0, first), job(*this, 1, second)};
  auto const count =
      post_bulk(*core_, std::make_move_iterator(jobs.begin()), std::make_move_iterator(jobs.end()));
  for (std::size_t i = 0; i != count; ++i) jobs_[i].admitted = true;
  return count;
}

brigade::error_code small_pool::post_patiently(std::size_t number) {
  for (;;) {
    auto const verdict = post(number);
    if (verdict != brigade::errc::queue_full) return verdict;
    relax(1);
  }
}

void small_pool::reserve() {
  auto const claim = core_->admit(0U);
  if (claim.answer != verdict::admitted) return;
  held_slot const slot(core_, claim);
  --in_flight_;  // it is given back in the next moment
}

void small_pool::wait_in_line(std::size_t number) {
  auto const place = core_->line().take_place(*core_, 0);
  world_.expect(place != 0, "there was no place in line");
  core_->line().join(core_, place, std::make_unique<one_in_line>(*this, number));
}

void small_pool::close() { core_->close(); }
void small_pool::stop() { core_->stop(); }

void small_pool::expect_empty_queue() const {
  world_.expect(!core_->lanes().ready(), "a job is left in the queue");
}

void small_pool::expect_settled() {
  if (!world_.failure().empty()) return;
  auto const counts = core_->counts().read();
  unsigned admitted = 0;
  for (auto const& one : jobs_) {
    if (one.admitted) ++admitted;
    world_.expect(one.admitted || one.ran == 0, "a job ran that was not admitted");
  }
  world_.expect(!core_->lanes().ready(), "a job is left beside sleeping workers");
  world_.expect(counts[outcome::completed] == ran_, "a job that ran was not counted");
  world_.expect(counts.finished() == admitted + counts[outcome::voided],
                "an admitted job has not ended");
  world_.expect(core_->workers().busy() == 0, "a worker has gone without giving its slot back");
}

void small_pool::expect_drained() const {
  world_.expect(finishes_ != 0, "nobody has noticed the end");
  world_.expect(finishes_ == 1, "the end was noticed twice");
}

}  // namespace test::schedules

bool brigade::detail::runs_a_job() {
  return test::schedules::runs_job[test::schedules::world::current().running()];
}
