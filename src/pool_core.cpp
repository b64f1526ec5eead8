// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/pool_core.hpp>

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <boost/asio/defer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <brigade/detail/asymmetric_fence.hpp>
#include <brigade/detail/caller_guard.hpp>
#include <brigade/detail/host_watch.hpp>
#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/report.hpp>
#include <brigade/detail/steady_clock.hpp>
#include <brigade/detail/stuck_watch.hpp>
#include <brigade/detail/turn.hpp>

namespace brigade::detail {

namespace {

// ── options ──

template <class T>
void check_range(char const* option, T value, T least, T most) {
  if (value >= least && value <= most) return;
  throw std::invalid_argument(fmt::format(
      "brigade::pool_options::{}: {} is out of range; give {} to {}", option, value, least, most));
}

void check_lanes(pool_options& options) {
  check_range<std::size_t>("lanes.size()", options.lanes.size(), 0, permit_count::most_lanes);
  for (std::size_t i = 0; i != options.lanes.size(); ++i) {
    auto& lane = options.lanes[i];
    if (lane.capacity == 0) lane.capacity = options.capacity;
    auto const capacity = fmt::format("lanes[{}].capacity", i);
    check_range<std::size_t>(capacity.c_str(), lane.capacity, 1, options.capacity);
    check_range(fmt::format("lanes[{}].weight", i).c_str(), lane.weight, 1U, 65'536U);
  }
}

pool_options checked(pool_options options) {
  if (options.threads == 0) options.threads = std::max(1U, std::thread::hardware_concurrency());
  check_range("threads", options.threads, 1U, 65'535U);
  check_range<std::size_t>("capacity", options.capacity, 1, std::size_t{1} << 30);
  check_range("turn_jobs", options.turn_jobs, 1U, 1U << 20);
  constexpr auto an_hour = std::int64_t{3'600'000'000};
  check_range<std::int64_t>("linger", options.linger.count(), 0, an_hour);
  check_range<std::int64_t>("turn_time", options.turn_time.count(), 1, an_hour);
  if (!options.max_waiting) options.max_waiting = options.capacity;
  check_range<std::size_t>("max_waiting", *options.max_waiting, 0, std::size_t{1} << 30);
  check_lanes(options);
  if (options.shedding) {
    constexpr auto hour = std::int64_t{3'600'000};
    check_range<std::int64_t>("shedding.target", options.shedding->target.count(), 1, hour);
    check_range<std::int64_t>("shedding.interval", options.shedding->interval.count(), 1, hour);
  }
  check_range<std::int64_t>("stuck_after", options.stuck_after.count(), 0,
                            std::int64_t{86'400'000});
  return options;
}

}  // namespace

pool_core::pool_core(pool_options options, asio::any_io_executor host)
    : options_(checked(std::move(options))),
      tracer_(options_),
      ledger_(options_.threads, std::max(1U, static_cast<unsigned>(options_.lanes.size()))),
      lanes_(options_, ledger_),
      told_admitted_(std::make_unique<std::atomic<std::uint64_t>[]>(lanes_.count())),
      crew_(options_.threads),
      turn_memories_(std::make_unique<turn_memory[]>(options_.threads)),
      activities_(std::make_unique<worker_activity[]>(options_.threads)),
      sheds_(options_.shedding.has_value()),
      marks_(steady_nanoseconds()) {
  verdict_exception({});  // the first use makes them all
  if (lanes_.count() != 1) rounds_.assign(options_.threads, lanes_.begin_round());
  for (unsigned lane = 0; options_.shedding && lane != lanes_.count(); ++lane) {
    shedders_.emplace_back(*options_.shedding);
  }
  if (host) {
    executor_ = std::move(host);
    context_ = &executor_.context();
  } else {
    own_ = std::make_unique<asio::io_context>(static_cast<int>(options_.threads));
    own_work_.emplace(own_->get_executor());
    executor_ = own_->get_executor();
    context_ = own_.get();
  }
}

pool_core::~pool_core() {
  caller_guard::wait_for_others(this);
  if (deadlines_) deadlines_->forget_timer();
  own_work_.reset();
}

std::shared_ptr<pool_core> pool_core::with_threads(pool_options options) {
  auto core = std::make_shared<pool_core>(std::move(options));
  stuck_watch::begin(core);
  core->start_threads();
  return core;
}

std::shared_ptr<pool_core> pool_core::on_host(asio::any_io_executor host, pool_options options) {
  if (!host) {
    throw std::invalid_argument(
        "brigade::worker_pool: the host executor is empty; give one that "
        "belongs to a context, such as io_context::get_executor()");
  }
  auto core = std::make_shared<pool_core>(std::move(options), std::move(host));
  stuck_watch::begin(core);
  asio::use_service<host_watch>(*core->context_).add(core);
  return core;
}

// ── submitting ──

void pool_core::wake() noexcept {
  auto const keep = shared_from_this();  // a job that the sweep destroys may own the pool
  // The job may have been published behind stop()'s sweep, and the workers may be stuck.
  if (cancelling()) sweep();
  // A searcher may have found the job before the crew was looked at, which then shows nobody who
  // searches. Jobs that are published later are somebody else's to wake for.
  if (!lanes_.ready()) return;
  unsigned slot = 0;
  if (crew_.claim_wake(slot)) post_turn(slot, true);
}

void pool_core::post_turn(unsigned slot, bool searching) noexcept {
  try {
    auto& memory = turn_memories_[slot];
    if (own_) {
      asio::post(own_->get_executor(), posted_turn{*this, nullptr, memory, slot, searching});
    } else if (!host_is_gone()) {
      asio::post(executor_, posted_turn{*this, shared_from_this(), memory, slot, searching});
    }
  } catch (...) {
    crew_.go_idle(slot, searching);
  }
}

void pool_core::defer_turn(unsigned slot) noexcept {
  try {
    asio::defer(own_->get_executor(),
                posted_turn{*this, nullptr, turn_memories_[slot], slot, false});
  } catch (...) {
    crew_.go_idle(slot, false);
  }
}

// ── running ──

std::chrono::nanoseconds pool_core::linger_after_wake() const noexcept {
  std::chrono::nanoseconds const longest = options_.linger;
  auto const slept = steady_nanoseconds() - idle_since_.load(std::memory_order_relaxed);
  return slept < 4 * longest.count() ? longest : longest / 8;
}

std::int64_t pool_core::note_idle() noexcept {
  auto const now = steady_nanoseconds();
  idle_since_.store(now, std::memory_order_relaxed);
  return now;
}

void pool_core::end_elsewhere(outcome how, unsigned lane, bool never_started) {
  auto& counts = ledger_.elsewhere(lane);
  if (never_started) counts.add_start();
  counts.add_end(how);
  light_fence();  // against who joins the line: see waiting_line.hpp
  if (slots_awaited_.load(std::memory_order_relaxed)) tell_line();
  check_drained();
}

// Runs on the shared counts: the turn that this thread may be inside has a slot of its own.
bool pool_core::help() noexcept {
  try {
    inline_job job;
    job_note note;
    for (unsigned lane = 0; lane != lanes_.count(); ++lane) {
      if (!lanes_[lane].take(job, note)) continue;
      worker_activity unseen;  // the worker is busy with the job that waits
      job_context context(*this, ledger_.elsewhere(lane), unseen, slots_awaited_,
                          job_context::writers::many);
      context.lane = lane;
      context.taken = &job;
      context.note = note;
      if (cancelling()) {
        job.discard(
            {this, lane, outcome::cancelled, asio::error::operation_aborted, nullptr, note});
      } else {
        job.run(context);
      }
      check_drained();
      return true;
    }
    return own_ && run_one_handler();
  } catch (...) {
    report_handler_error(std::current_exception());
    return true;
  }
}

void pool_core::report_job_error(std::exception_ptr const& failure) noexcept {
  report(options_.on_job_error, options_.name, "a job threw", failure);
}

void pool_core::report_handler_error(std::exception_ptr const& failure) noexcept {
  handler_errors_.fetch_add(1, std::memory_order_relaxed);
  report(options_.on_handler_error, options_.name, "a handler threw", failure);
}

}  // namespace brigade::detail
