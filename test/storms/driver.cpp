// SPDX-License-Identifier: BSL-1.0
#include "storms/driver.hpp"

#include <array>
#include <chrono>
#include <stdexcept>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <brigade/detail/control_context.hpp>

#include "support/wait_until.hpp"

namespace storms {

using brigade::error_code;
using brigade::to_error_code;
using namespace std::chrono_literals;

driver::driver(setup const& s)
    : model_(s),
      pool_(host_.get_executor(),
            {.threads = s.workers,
             .capacity = s.capacity,
             .on_job_error = [this](std::exception_ptr const&) { ++job_errors_; },
             // Of handlers that go with the host, where a program has failed.
             .on_handler_error = [](std::exception_ptr const&) {},
             .max_waiting = s.max_waiting,
             .lanes = s.lanes,
             .linger = 0us,
             .turn_jobs = 1}),
      group_(pool_, {.max_running = s.group_bound}) {}

// What a program that failed has left behind, while its handlers' contexts are there.
driver::~driver() {
  permits_.clear();
  pool_.stop();
  while (step()) {
  }
}

std::string driver::execute(command const& c) {
  perform(c);
  if (model_.state() >= brigade::pool_state::cancelling) run_all();  // coroutines have been asked
  let_control_rest();
  // Deadlines are met by a timer of the control thread, which nothing but time brings on. Once a
  // program has failed, those that it is shortened to are not waited for as long.
  static std::chrono::seconds patience{20};
  if (!test::wait_until([this] { return let_control_rest(), difference().empty(); }, patience)) {
    patience = std::chrono::seconds{1};
  }
  let_control_rest();
  return wrong_.empty() ? difference() : wrong_;
}

std::string driver::finish() {
  release_all();
  while (run_all(), release_all(), !model_.suspended().empty() && wrong_.empty()) resume({});
  wait_group();
  auto wrong = execute({.what = act::drain});
  run_all();
  is_over_ = true;
  if (wrong.empty()) wrong = difference();
  return wrong.empty() ? wrong_ : wrong;
}

// Those too that are granted to who waits for them, as soon as others are given back.
void driver::release_all() {
  for (let_control_rest(); !permits_.empty() && wrong_.empty(); let_control_rest()) release({});
}

void driver::perform(command const& c) {
  switch (c.what) {
    case act::post: return post(c, false);
    case act::submit: return submit(c, false);
    case act::bulk: return bulk(c.count);
    case act::post_for: return post_for(c);
    case act::reserve: return reserve(c);
    case act::async_reserve: return async_reserve(c);
    case act::spend_post: return post(c, true);
    case act::spend_submit: return submit(c, true);
    case act::release: return release(c);
    case act::run: return run(c.count);
    case act::run_all: return run_all();
    case act::resume: return resume(c);
    case act::cancel: return cancel(c);
    case act::cancel_group: return cancel_group();
    case act::wait_group: return wait_group();
    case act::close: return pool_.close(), model_.close();
    case act::drain: return drain();
    case act::shutdown: return shutdown(c.count % 2 == 1);
    case act::stop: return pool_.stop(), model_.stop();
  }
}

// ── jobs ──

id driver::new_job(job_terms const& terms) {
  auto const job = model_.next();
  seen_.emplace_back();
  if (terms.kind == job_kind::spawning) {
    model_.adopt(job, model_.next());
    seen_.emplace_back();
  }
  return job;
}

// What the terms come to in this pool, and what the model can tell: which of two ends a job of a
// group that is being cancelled has is not decided.
job_terms driver::fitted(job_terms terms) const {
  terms.lane %= model_.lanes();
  if (terms.in_group && model_.group_is_cancelled()) terms.start_by = due::never;
  return terms;
}

brigade::submit_options driver::options_of(job_terms const& terms) const {
  brigade::submit_options options{.when_full = terms.when_full, .lane = terms.lane};
  if (terms.start_by == due::past) options.start_by = brigade::clock::now() - 1h;
  if (terms.start_by == due::far) options.start_by = brigade::clock::now() + 1h;
  if (terms.named) options.name = "stormy";
  return options;
}

void driver::tell(id job, error_code const& why, int value) {
  auto& one = seen_.at(job);
  ++one.told;
  one.why = why;
  one.value = value;
}

void driver::run_body(id job) {
  ++seen_.at(job).ran;
  run_order_.push_back(job);
  auto const& record = model_.of(job);
  switch (record.terms.kind) {
    case job_kind::throwing: throw std::runtime_error("part of the storm");
    case job_kind::spawning:
      tell(*record.child, pool_.try_post([this, child = *record.child] { run_body(child); }));
      break;
    case job_kind::stopping: pool_.stop(); break;
    default: break;
  }
}

asio::awaitable<int> driver::suspend(id job) {
  ++seen_.at(job).ran;
  asio::steady_timer never(host_, asio::steady_timer::time_point::max());
  suspended_[job] = &never;
  auto const woken = co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
  static_cast<void>(woken);
  suspended_.erase(job);
  auto const state = co_await asio::this_coro::cancellation_state;
  bool const cancelled = state.cancelled() != asio::cancellation_type::none;
  if (cancelled && model_.of(job).terms.kind == job_kind::sleeper) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return static_cast<int>(job);
}

template <class Target, class Job>
void driver::submit_job(Target& target, id number, job_terms const& terms, Job job) {
  auto handler = [this, number](std::exception_ptr const& failure, int value) {
    tell(number, to_error_code(failure), value);
  };
  auto const options = options_of(terms);
  auto const slot = seen_.at(number).signal.slot();
  auto there = asio::bind_executor(elsewhere_, handler);
  if (terms.told == told_on::pool) {
    if (!terms.cancellable) return target.async_submit(std::move(job), options, handler);
    return target.async_submit(std::move(job), options,
                               asio::bind_cancellation_slot(slot, handler));
  }
  if (!terms.cancellable) return target.async_submit(std::move(job), options, there);
  target.async_submit(std::move(job), options, asio::bind_cancellation_slot(slot, there));
}

template <class Target>
void driver::submit_to(Target& target, id job, job_terms const& terms) {
  auto const value = static_cast<int>(job);
  if (is_coroutine(terms.kind)) {
    submit_job(target, job, terms, [this, job] { return suspend(job); });
  } else if (terms.kind == job_kind::stoppable) {
    submit_job(target, job, terms,
               [this, job, value](std::stop_token const&) { return run_body(job), value; });
  } else {
    submit_job(target, job, terms, [this, job, value] { return run_body(job), value; });
  }
}

void driver::post(command const& c, bool by_permit) {
  auto terms = fitted(c.job);
  if (is_coroutine(terms.kind) || terms.kind == job_kind::stoppable) terms.kind = job_kind::plain;
  if (terms.when_full == brigade::overflow::wait) terms.when_full = brigade::overflow::reject;
  if (by_permit && permits_.empty()) return;
  auto const job = new_job(terms);
  model_.prepare(job, terms);
  auto const put = [&](auto f) {
    if (!by_permit) return pool_.try_post(std::move(f), options_of(terms));
    return permits_.at(chosen_permit(c)).post(std::move(f), options_of(terms));
  };
  auto const small = [this, job] { run_body(job); };
  auto const verdict =
      terms.large
          ? put([small, ballast = std::array<char, 200>{}] { static_cast<void>(ballast), small(); })
          : put(small);
  tell(job, verdict);
  if (!by_permit) {
    static_cast<void>(model_.post(job, terms));
    return;
  }
  auto const permit = chosen_permit(c);
  static_cast<void>(model_.spend_post(permit, job, terms));
  permits_.erase(permit);
}

void driver::submit(command const& c, bool by_permit) {
  auto terms = fitted(c.job);
  if (by_permit) terms.in_group = false;
  if (is_coroutine(terms.kind) && terms.when_full == brigade::overflow::caller_runs) {
    terms.when_full = brigade::overflow::reject;
  }
  if (by_permit && permits_.empty()) return;
  auto const job = new_job(terms);
  model_.prepare(job, terms);
  if (by_permit) {
    auto const permit = chosen_permit(c);
    submit_to(permits_.at(permit), job, terms);
    model_.spend_submit(permit, job, terms);
    permits_.erase(permit);
  } else if (terms.in_group) {
    submit_to(group_, job, terms);
    model_.submit(job, terms);
  } else {
    submit_to(pool_, job, terms);
    model_.submit(job, terms);
  }
}

void driver::bulk(std::size_t count) {
  std::vector<id> jobs;
  for (std::size_t i = 0; i != count; ++i) jobs.push_back(new_job({}));
  auto const body = [this](id job) { return [this, job] { run_body(job); }; };
  std::vector<decltype(body(0))> bodies;
  for (auto const job : jobs) bodies.push_back(body(job)), tell(job, {});
  auto const admitted = pool_.try_post_bulk(bodies.begin(), bodies.end());
  auto const expected = model_.bulk(jobs);
  expect(admitted == expected, fmt::format("bulk: {} admitted, not {}", admitted, expected));
}

void driver::post_for(command const& c) {
  auto const job = new_job({});
  auto const lane = c.job.lane % model_.lanes();
  bool const at_once = c.count % 2 == 0;
  tell(job, pool_.post_for([this, job] { run_body(job); }, at_once ? 0ms : 1ms, {.lane = lane}));
  static_cast<void>(model_.post_for(job, lane, at_once));
}

// ── permits ──

id driver::chosen_permit(command const& c) const {
  return std::next(permits_.begin(), static_cast<std::ptrdiff_t>(c.which % permits_.size()))->first;
}

void driver::reserve(command const& c) {
  auto const permit = new_job({});
  auto const lane = c.job.lane % model_.lanes();
  auto got = pool_.try_reserve({.lane = lane});
  tell(permit, got ? error_code{} : got.error());
  if (got) permits_.emplace(permit, std::move(*got));
  static_cast<void>(model_.reserve(permit, lane));
}

void driver::async_reserve(command const& c) {
  auto terms = fitted(c.job);
  terms.in_group = false;
  terms.told = told_on::elsewhere;
  terms.kind = job_kind::plain;
  auto const permit = new_job(terms);
  auto granted = [this, permit](error_code const& why, brigade::permit slot) {
    tell(permit, why);
    if (slot) permits_.emplace(permit, std::move(slot));
  };
  auto there = asio::bind_executor(elsewhere_, granted);
  if (terms.cancellable) {
    pool_.async_reserve(options_of(terms),
                        asio::bind_cancellation_slot(seen_.at(permit).signal.slot(), there));
  } else {
    pool_.async_reserve(options_of(terms), there);
  }
  model_.async_reserve(permit, terms);
}

void driver::release(command const& c) {
  if (permits_.empty()) return;
  auto const permit = chosen_permit(c);
  if (!model_.holds(permit))
    return expect(false, fmt::format("nobody was to get permit {}", permit));
  permits_.erase(permit);
  model_.release(permit);
}

// ── running ──

bool driver::step() {
  host_.restart();
  bool const did_something = host_.poll_one() != 0;
  let_control_rest();
  return did_something;
}

void driver::run(std::size_t count) {
  auto const taken = [this] {
    auto const now = pool_.metrics();
    return now.completed + now.failed + now.running_jobs;
  };
  for (std::size_t i = 0; i != count; ++i) {
    auto const before = taken();
    auto const held_back = group_.metrics().held_back;
    while (step() && taken() == before && group_.metrics().held_back <= held_back) {
    }
    if (!model_.take()) break;
  }
}

void driver::run_all() {
  while (step()) {
  }
  while (model_.take()) {
  }
}

void driver::resume(command const& c) {
  run_all();  // what is queued would run beside the end of it
  auto const all = model_.suspended();
  if (all.empty()) return;
  auto const job = all[c.which % all.size()];
  auto const timer = suspended_.find(job);
  if (timer == suspended_.end()) return expect(false, fmt::format("{} is not suspended", job));
  timer->second->cancel();
  model_.resume(job);
  run_all();
}

void driver::cancel(command const& c) {
  std::vector<id> all;
  for (id job = 0; job != model_.known(); ++job) {
    auto const& one = model_.of(job);
    if (one.has_handler && one.terms.cancellable && one.at != place::over) all.push_back(job);
  }
  if (all.empty()) return;
  auto const job = all[c.which % all.size()];
  bool const runs = model_.of(job).at == place::running;
  if (runs) run_all();
  constexpr std::array types{asio::cancellation_type::terminal, asio::cancellation_type::partial,
                             asio::cancellation_type::total};
  // A coroutine listens to terminal cancellation alone.
  seen_.at(job).signal.emit(runs ? types[0] : types.at(c.count % 3));
  model_.cancel(job);
  if (runs) run_all();
}

// ── the group ──

// Who stands in line may get the slot of another member before it is cancelled itself: that would
// be counted in one way or the other.
void driver::cancel_group() {
  if (model_.group_in_line()) return;
  bool const runs = model_.group_runs();
  if (runs) run_all();
  group_.cancel();
  model_.cancel_group();
  if (runs) run_all();
}

void driver::wait_group() {
  group_.async_wait(asio::bind_executor(elsewhere_, [this](std::exception_ptr const& failure) {
    group_waits_.push_back(to_error_code(failure));
  }));
  model_.wait_group();
}

// ── ending ──

void driver::drain() {
  pool_.async_drain(asio::bind_executor(elsewhere_, [this](error_code const& why) {
    expect(!why, "async_drain: " + why.message());
    ++drains_;
  }));
  model_.drain();
}

void driver::shutdown(bool lame_duck) {
  pool_.async_shutdown(
      {.lame_duck = lame_duck ? 1h : 0h, .drain = 1h, .cancel = 1h},
      asio::bind_executor(elsewhere_,
                          [this](error_code const& why, brigade::shutdown_report const& report) {
                            expect(!why, "async_shutdown: " + why.message());
                            reports_.push_back(report);
                          }));
  model_.shutdown(lame_duck);
}

// ── comparing ──

// The control context has one thread: behind what is posted now, all that was there has been done.
// What that has posted in its turn is done by the second time.
void driver::let_control_rest() {
  for (int round = 0; round != 2; ++round) {
    asio::post(brigade::detail::control_context(), asio::use_future).wait();
  }
  elsewhere_.restart();
  elsewhere_.poll();
}

void driver::expect(bool what, std::string const& text) {
  if (!what && wrong_.empty()) wrong_ = text;
}

std::string driver::difference_of(id job) const {
  auto const& seen = seen_.at(job);
  auto const& wanted = model_.of(job);
  if (seen.ran != wanted.ran) {
    return fmt::format("{} ran {} times, not {}", job, seen.ran, wanted.ran);
  }
  // A handler on the pool's executor comes to its turn when the host is stepped.
  bool const may_be_late = !is_over_ && wanted.has_handler && wanted.terms.told == told_on::pool;
  if (may_be_late && seen.told == 0) return {};
  if (seen.told != (wanted.told ? 1 : 0)) {
    return fmt::format("{} was told {} times, not {}", job, seen.told, wanted.told ? 1 : 0);
  }
  if (!wanted.told) return {};
  if (seen.why != *wanted.told) {
    return fmt::format("{} was told '{}', not '{}'", job, seen.why.message(),
                       wanted.told->message());
  }
  bool const has_value = wanted.has_handler && !wanted.is_reservation && !*wanted.told;
  if (has_value && seen.value != static_cast<int>(job)) {
    return fmt::format("{} was told the result of {}", job, seen.value);
  }
  return {};
}

std::string driver::difference() const {
  std::string found;
  auto const compare = [&found](std::string_view what, auto seen, auto wanted) {
    if (seen != wanted && found.empty()) found = fmt::format("{}: {}, not {}", what, seen, wanted);
  };
  auto const seen = pool_.metrics();
  auto const wanted = model_.metrics();
  compare("state", brigade::to_string(seen.state), brigade::to_string(wanted.state));
  compare("queued_jobs", seen.queued_jobs, wanted.queued_jobs);
  compare("running_jobs", seen.running_jobs, wanted.running_jobs);
  compare("waiting", seen.waiting, wanted.waiting);
  compare("permits", seen.permits, wanted.permits);
  compare("admitted", seen.admitted, wanted.admitted);
  compare("completed", seen.completed, wanted.completed);
  compare("failed", seen.failed, wanted.failed);
  compare("cancelled", seen.cancelled, wanted.cancelled);
  compare("expired", seen.expired, wanted.expired);
  compare("shed", seen.shed, wanted.shed);
  compare("rejected.queue_full", seen.rejected.queue_full, wanted.rejected.queue_full);
  compare("rejected.closed", seen.rejected.closed, wanted.rejected.closed);
  compare("rejected.cancelled", seen.rejected.cancelled, wanted.rejected.cancelled);
  compare("rejected.expired", seen.rejected.expired, wanted.rejected.expired);
  compare("caller_ran", seen.caller_ran, wanted.caller_ran);
  compare("handler_errors", seen.handler_errors, 0U);
  for (std::size_t lane = 0; lane != seen.lanes.size(); ++lane) {
    auto const in = [lane](char const* what) { return fmt::format("lane {}, {}", lane, what); };
    compare(in("queued_jobs"), seen.lanes[lane].queued_jobs, wanted.lanes[lane].queued_jobs);
    compare(in("running_jobs"), seen.lanes[lane].running_jobs, wanted.lanes[lane].running_jobs);
    compare(in("admitted"), seen.lanes[lane].admitted, wanted.lanes[lane].admitted);
    compare(in("shed"), seen.lanes[lane].shed, wanted.lanes[lane].shed);
  }
  auto const group = group_.metrics();
  auto const wanted_group = model_.group();
  compare("group, jobs", group.jobs, wanted_group.jobs);
  compare("group, running", group.running, wanted_group.running);
  compare("group, held_back", group.held_back, wanted_group.held_back);
  compare("group, submitted", group.submitted, wanted_group.submitted);
  compare("group, refused", group.refused, wanted_group.refused);
  compare("group, completed", group.completed, wanted_group.completed);
  compare("group, failed", group.failed, wanted_group.failed);
  compare("group, cancelled", group.cancelled, wanted_group.cancelled);
  compare("group, expired", group.expired, wanted_group.expired);
  compare("group, shed", group.shed, wanted_group.shed);
  if (group_waits_ != model_.group_waits && found.empty()) {
    found = fmt::format("{} were told of the group, not {}; or something else", group_waits_.size(),
                        model_.group_waits.size());
  }
  compare("what on_job_error saw", job_errors_, model_.job_errors);
  bool const ended = wanted.state == brigade::pool_state::stopped;
  compare("drains told", drains_, ended ? model_.drains : 0);
  compare("shutdowns told", reports_.size(), ended ? model_.shutdowns : 0);
  for (auto const& report : reports_) {
    compare("report, reached", brigade::to_string(report.reached), "stopped");
    compare("report, completed", report.completed, wanted.completed);
    compare("report, cancelled", report.cancelled, wanted.cancelled);
    compare("report, abandoned", report.abandoned, 0U);
  }
  for (id job = 0; job != model_.known() && found.empty(); ++job) found = difference_of(job);
  compare("jobs that ran in order", fmt::format("{}", fmt::join(run_order_, " ")),
          fmt::format("{}", fmt::join(model_.run_order, " ")));
  return found;
}

}  // namespace storms
