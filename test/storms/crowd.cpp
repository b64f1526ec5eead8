// SPDX-License-Identifier: BSL-1.0
#include "storms/crowd.hpp"

#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "support/balanced.hpp"
#include "support/wait_until.hpp"

namespace storms {

using brigade::errc;
using brigade::error_code;
using test::balanced;
using namespace std::chrono_literals;

namespace {

std::size_t most_records(std::vector<program> const& programs) {
  std::size_t sum = 0;
  for (auto const& one : programs) {
    for (auto const& c : one) sum += 2 * (c.what == act::bulk ? c.count : 1);  // one may spawn one
  }
  return sum;
}

bool is_idle(brigade::pool_metrics const& m) {
  return m.queued_jobs + m.running_jobs + m.permits + m.waiting == 0;
}

brigade::submit_options options_of(job_terms const& terms) {
  brigade::submit_options options{.when_full = terms.when_full, .lane = terms.lane};
  if (terms.start_by == due::past) options.start_by = brigade::clock::now();
  if (terms.start_by == due::far) options.start_by = brigade::clock::now() + 100us;
  if (terms.named) options.name = "stormy";
  return options;
}

asio::awaitable<int> go_round(std::atomic<int>& ran, int value) {
  ran.fetch_add(1);
  for (int i = 0; i != 3; ++i) co_await asio::post(asio::use_awaitable);
  co_return value;
}

}  // namespace

std::unique_ptr<brigade::worker_pool> make_pool(setup const& s) {
  return std::make_unique<brigade::worker_pool>(
      brigade::pool_options{.threads = s.workers,
                            .capacity = s.capacity,
                            .on_job_error = [](std::exception_ptr const&) {},
                            .max_waiting = s.max_waiting,
                            .lanes = s.lanes});
}

crowd::crowd(brigade::worker_pool& pool, std::size_t group_bound,
             std::vector<program> const& programs)
    : pool_(pool),
      programs_(programs),
      group_(pool, {.max_running = group_bound, .cancel_on_failure = group_bound == 1}),
      records_(most_records(programs)),
      work_(asio::make_work_guard(elsewhere_)),
      teller_([this] { elsewhere_.run(); }) {}

crowd::~crowd() {
  work_.reset();
  if (!all_told()) elsewhere_.stop();  // a handler that is lost would be waited for here
  teller_.join();
}

std::string crowd::storm(bool end_pool) {
  auto const before = pool_.metrics();
  std::vector<std::thread> threads;
  for (auto const& one : programs_) threads.emplace_back([this, &one] { execute(one); });
  for (auto& thread : threads) thread.join();
  if (end_pool) pool_.close();
  // Once a program has failed, those that it is shortened to are not waited for as long.
  static std::chrono::seconds patience{60};
  bool const told = test::wait_until([this] { return give_permits_back(), all_told(); }, patience);
  if (!told) {
    patience = std::chrono::seconds{2};
    return "a handler was not told in time";
  }
  give_permits_back();  // of whom was told last
  if (end_pool) pool_.join();
  // Jobs that nobody hears of may go on for a while, and a snapshot may leave one out for as long as
  // a permit changes hands elsewhere.
  std::string wrong;
  static_cast<void>(test::wait_until(
      [&] {
        auto const now = pool_.metrics();
        wrong = is_idle(now)
                    ? wrong_sums(before, now)
                    : fmt::format("{} are queued, {} run, {} permits are held, {} wait, for ever",
                                  now.queued_jobs, now.running_jobs, now.permits, now.waiting);
        return wrong.empty();
      },
      patience));
  if (!wrong.empty()) return wrong;
  for (std::size_t job = 0; job != used_; ++job) {
    if (wrong = wrong_with(job); !wrong.empty()) return wrong;
  }
  if (unbalanced_ != 0) return fmt::format("{} snapshots were unbalanced", unbalanced_.load());
  return {};
}

void crowd::execute(program const& commands) {
  place own;
  for (auto const& c : commands) perform(c, own);
}

void crowd::perform(command const& c, place& own) {
  auto const on = [this](auto handler) { return asio::bind_executor(elsewhere_, handler); };
  switch (c.what) {
    case act::post: return post(c, false);
    case act::submit: return submit(c, false, own);
    case act::bulk: return bulk(c.count);
    case act::post_for: {
      auto const job = new_record(way::post, {});
      tell(job, pool_.post_for(body_of(job), std::chrono::microseconds{50 * c.count}));
      return;
    }
    case act::reserve: {
      auto const job = new_record(way::reservation, {});
      auto slot = pool_.try_reserve();
      std::lock_guard const lock(permits_mutex_);
      if (slot) permits_.push_back(std::move(*slot));
      tell(job, slot ? error_code{} : slot.error());
      return;
    }
    case act::async_reserve: return async_reserve(c, own);
    case act::spend_post: return post(c, true);
    case act::spend_submit: return submit(c, true, own);
    case act::release: static_cast<void>(take_permit()); return;
    case act::run: std::this_thread::yield(); return;
    case act::run_all:
    case act::resume:
      if (!balanced(pool_.metrics())) unbalanced_.fetch_add(1);
      return;
    case act::cancel:
      if (own.cancellable.empty()) return;
      records_.at(own.cancellable.at(c.which % own.cancellable.size()))
          .signal.emit(asio::cancellation_type::terminal);
      return;
    case act::cancel_group: return group_.cancel();
    case act::wait_group:
      waits_.fetch_add(1);
      return group_.async_wait(on([this](std::exception_ptr const&) { waits_told_.fetch_add(1); }));
    case act::close: return pool_.close();
    case act::drain:
      waits_.fetch_add(1);
      return pool_.async_drain(on([this](error_code const&) { waits_told_.fetch_add(1); }));
    case act::shutdown:
      waits_.fetch_add(1);
      return pool_.async_shutdown(
          {.lame_duck = std::chrono::milliseconds{c.count % 2}, .drain = 1h, .cancel = 1h},
          on([this](error_code const&, brigade::shutdown_report const&) {
            waits_told_.fetch_add(1);
          }));
    case act::stop: return pool_.stop();
  }
}

// ── jobs ──

std::size_t crowd::new_record(way came_by, job_terms const& terms) {
  auto const job = used_.fetch_add(1);
  auto& one = records_.at(job);
  one.came_by = came_by;
  one.kind = terms.kind;
  return job;
}

void crowd::tell(std::size_t job, error_code const& why) {
  auto& one = records_.at(job);
  one.why = why;
  one.told.fetch_add(1);
}

void crowd::run_body(std::size_t job) {
  auto& one = records_.at(job);
  one.ran.fetch_add(1);
  if (one.kind == job_kind::throwing) throw std::runtime_error("part of the storm");
  if (one.kind == job_kind::stopping) pool_.stop();
  if (one.kind != job_kind::spawning) return;
  auto const child = new_record(way::post, {});
  tell(child, pool_.try_post(body_of(child)));
}

void crowd::post(command const& c, bool by_permit) {
  auto terms = c.job;
  if (is_coroutine(terms.kind) || terms.kind == job_kind::stoppable) terms.kind = job_kind::plain;
  if (terms.when_full == brigade::overflow::wait) terms.when_full = brigade::overflow::reject;
  terms.lane %= static_cast<unsigned>(std::max<std::size_t>(1, pool_.metrics().lanes.size()));
  auto slot = by_permit ? take_permit() : brigade::permit{};
  if (by_permit && !slot) return;
  auto const job = new_record(way::post, terms);
  auto const put = [&](auto f) {
    return by_permit ? slot.post(std::move(f), options_of(terms))
                     : pool_.try_post(std::move(f), options_of(terms));
  };
  auto const small = body_of(job);
  tell(job, terms.large ? put([small, ballast = std::array<char, 200>{}] {
         static_cast<void>(ballast);
         small();
       })
                        : put(small));
}

template <class Target, class Job>
void crowd::submit_job(Target& target, std::size_t number, job_terms const& terms, Job job) {
  auto handler = [this, number](std::exception_ptr const& failure, int value) {
    bool const is_own = failure || value == static_cast<int>(number);
    tell(number, is_own ? brigade::to_error_code(failure)
                        : error_code{boost::system::errc::make_error_code(
                              boost::system::errc::result_out_of_range)});
  };
  auto const slot = records_.at(number).signal.slot();
  auto const options = options_of(terms);
  if (terms.told == told_on::elsewhere) {
    target.async_submit(
        std::move(job), options,
        asio::bind_cancellation_slot(slot, asio::bind_executor(elsewhere_, std::move(handler))));
  } else if (terms.cancellable) {
    target.async_submit(std::move(job), options,
                        asio::bind_cancellation_slot(slot, std::move(handler)));
  } else {
    target.async_submit(std::move(job), options, std::move(handler));
  }
}

template <class Target>
void crowd::submit_to(Target& target, std::size_t job, job_terms const& terms) {
  auto const value = static_cast<int>(job);
  if (is_coroutine(terms.kind)) {
    submit_job(target, job, terms,
               [this, job, value] { return go_round(records_.at(job).ran, value); });
  } else if (terms.kind == job_kind::stoppable) {
    submit_job(target, job, terms, [body = body_of(job), value](std::stop_token const& stop) {
      body();
      for (int i = 0; i != 20 && !stop.stop_requested(); ++i) std::this_thread::yield();
      return value;
    });
  } else {
    submit_job(target, job, terms, [body = body_of(job), value] { return body(), value; });
  }
}

void crowd::submit(command const& c, bool by_permit, place& own) {
  auto terms = c.job;
  if (is_coroutine(terms.kind) && terms.when_full == brigade::overflow::caller_runs) {
    terms.when_full = brigade::overflow::reject;
  }
  terms.lane %= static_cast<unsigned>(std::max<std::size_t>(1, pool_.metrics().lanes.size()));
  auto slot = by_permit ? take_permit() : brigade::permit{};
  if (by_permit && !slot) return;
  auto const job = new_record(way::submit, terms);
  if (terms.cancellable) own.cancellable.push_back(job);
  if (by_permit) {
    submit_to(slot, job, terms);
  } else if (terms.in_group) {
    submit_to(group_, job, terms);
  } else {
    submit_to(pool_, job, terms);
  }
}

void crowd::bulk(std::size_t count) {
  std::vector<std::size_t> jobs;
  std::vector<decltype(body_of(0))> bodies;
  for (std::size_t i = 0; i != count; ++i) {
    jobs.push_back(new_record(way::bulk, {}));
    bodies.push_back(body_of(jobs.back()));
  }
  auto const admitted = pool_.try_post_bulk(bodies.begin(), bodies.end());
  if (admitted != count) short_bulks_.fetch_add(1);
  for (std::size_t i = 0; i != count; ++i) {
    records_.at(jobs[i]).refused_in_bulk = i >= admitted;
    tell(jobs[i], {});
  }
}

// ── permits ──

void crowd::async_reserve(command const& c, place& own) {
  auto terms = c.job;
  terms.lane %= static_cast<unsigned>(std::max<std::size_t>(1, pool_.metrics().lanes.size()));
  auto const job = new_record(way::reservation, terms);
  own.cancellable.push_back(job);
  auto granted = [this, job](error_code const& why, brigade::permit slot) {
    std::lock_guard const lock(permits_mutex_);
    if (slot) permits_.push_back(std::move(slot));
    tell(job, why);
  };
  pool_.async_reserve(options_of(terms),
                      asio::bind_cancellation_slot(records_.at(job).signal.slot(),
                                                   asio::bind_executor(elsewhere_, granted)));
}

brigade::permit crowd::take_permit() {
  std::lock_guard const lock(permits_mutex_);
  if (permits_.empty()) return {};
  auto slot = std::move(permits_.back());
  permits_.pop_back();
  return slot;
}

void crowd::give_permits_back() {
  std::vector<brigade::permit> all;
  std::lock_guard const lock(permits_mutex_);
  all.swap(permits_);
}

// ── afterwards ──

bool crowd::all_told() const {
  if (waits_told_ != waits_) return false;
  for (std::size_t job = 0; job != used_; ++job) {
    if (records_[job].told == 0) return false;
  }
  return true;
}

std::string crowd::wrong_with(std::size_t job) const {
  auto const& one = records_[job];
  auto const say = [&](std::string_view what) {
    return fmt::format("job {}: {}; it ran {} times and was told '{}' {} times", job, what,
                       one.ran.load(), one.why.message(), one.told.load());
  };
  if (one.told != 1) return say("not told once");
  if (one.ran > 1) return say("run more than once");
  if (one.came_by == way::reservation) return {};
  bool const refused = one.refused_in_bulk || one.why == errc::queue_full ||
                       one.why == errc::closed || one.why == errc::expired || one.why == errc::shed;
  if (refused && one.ran != 0) return say("run after all");
  if (one.came_by != way::submit) return one.why && !refused ? say("a verdict that is none") : "";
  bool const aborted = one.why == asio::error::operation_aborted;
  if (aborted && !is_coroutine(one.kind) && one.ran != 0) return say("cancelled, and run");
  if (refused || aborted) return {};
  if (one.why && one.why != errc::job_failed) return say("told what is nobody's");
  if (one.ran == 0) return say("has a result, and was not run");
  return {};
}

std::string crowd::wrong_sums(brigade::pool_metrics const& before,
                              brigade::pool_metrics const& after) const {
  std::uint64_t ran = 0;
  std::uint64_t asked = short_bulks_;
  std::uint64_t never_ran = 0;  // ended without a run, in the queue or in line
  for (std::size_t job = 0; job != used_; ++job) {
    auto const& one = records_[job];
    ran += static_cast<std::uint64_t>(one.ran.load());
    if (one.refused_in_bulk) continue;
    bool const is_reservation = one.came_by == way::reservation;
    if (is_reservation ? bool(one.why) : true) ++asked;
    bool const verdict = one.why == errc::queue_full || one.why == errc::closed;
    if (one.ran == 0 && !verdict && !(is_reservation && !one.why)) ++never_ran;
  }
  auto const grown = [&](auto count) { return count(after) - count(before); };
  using metrics = brigade::pool_metrics const&;
  auto const runs = grown([](metrics m) { return m.completed + m.failed + m.caller_ran; });
  auto const answers =
      grown([](metrics m) { return m.admitted + m.rejected.total() + m.caller_ran; });
  auto const early = grown([](metrics m) {
    return m.cancelled + m.expired + m.shed + m.rejected.cancelled + m.rejected.expired;
  });
  if (!balanced(after)) return "the last snapshot is unbalanced";
  if (ran != runs) return fmt::format("{} jobs ran, and {} were counted", ran, runs);
  if (asked != answers) return fmt::format("{} asked, and {} were counted", asked, answers);
  if (never_ran != early)
    return fmt::format("{} ended early, and {} were counted", never_ran, early);
  return {};
}

}  // namespace storms
