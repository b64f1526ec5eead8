// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/pool_core.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <brigade/detail/asymmetric_fence.hpp>
#include <brigade/detail/caller_guard.hpp>
#include <brigade/detail/host_watch.hpp>
#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/report.hpp>
#include <brigade/detail/steady_clock.hpp>
#include <brigade/detail/stuck_watch.hpp>
#include <brigade/detail/thread_place.hpp>
#include <brigade/detail/thread_setup.hpp>
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

/// In a handler: throws what is being handled, with the number of threads if it is a system_error.
[[noreturn]] void rethrow_naming_threads(std::size_t started, unsigned wanted) {
  try {
    throw;
  } catch (std::system_error const& error) {
    throw std::system_error(
        error.code(), fmt::format("brigade::worker_pool: could start only {} of {} worker threads",
                                  started, wanted));
  }
}

thread_local pool_core const* own_thread_of = nullptr;

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
    return own_ && own_->poll_one() != 0;
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

// ── threads ──

void pool_core::start_threads() {
  threads_.reserve(options_.threads);
  try {
    for (unsigned i = 0; i != options_.threads; ++i) {
      threads_left_.fetch_add(1, std::memory_order_relaxed);
      threads_.emplace_back([self = shared_from_this(), i] { self->run_thread(i); });
    }
  } catch (...) {
    threads_left_.fetch_sub(1, std::memory_order_relaxed);
    close();
    join_threads();
    rethrow_naming_threads(threads_.size(), options_.threads);
  }
}

void pool_core::run_thread(unsigned index) noexcept {
  own_thread_of = this;
  thread_place::mine();  // now, so that no job's submission needs the memory
  name_this_thread(fmt::format("{}/{}", options_.name.substr(0, 12), index));
  block_ending_signals();
  run_handlers();
  leave_threads();
  own_thread_of = nullptr;
}

// Acquire and release: the last thread out sees all that the others have posted.
void pool_core::leave_threads() noexcept {
  if (threads_left_.fetch_sub(1, std::memory_order_acq_rel) == 1) deliver_the_rest();
}

// run() may be entered again after an exception without restart(), which would undo a stop().
void pool_core::run_handlers() noexcept {
  for (;;) {
    try {
      own_->run();
      return;
    } catch (...) {
      report_handler_error(std::current_exception());
    }
  }
}

// Every job has ended and the other threads have left. What remains are handlers: completions of
// jobs, and whatever else was posted to the executor. They are run in rounds, each up to a mark
// that is posted behind what was there: after join() until nothing is left, after stop() a limited
// number of times, so that a handler which posts itself again for ever cannot hold up the end.
void pool_core::deliver_the_rest() noexcept {
  constexpr int rounds_after_stop = 16;
  auto const a_round = [this] {
    if (own_->stopped()) own_->restart();
    bool marked = false;
    std::size_t ran = 0;
    asio::post(own_->get_executor(), [&marked] { marked = true; });
    while (!marked) {
      try {
        ran += own_->poll_one();
      } catch (...) {
        report_handler_error(std::current_exception());
      }
    }
    return ran > 1;
  };
  for (int round = 0; a_round() && (!cancelling() || round < rounds_after_stop); ++round) {
  }
  while (!gate_.try_close()) std::this_thread::yield();
  for (int round = 0; a_round() && (!cancelling() || round < rounds_after_stop); ++round) {
  }
}

bool pool_core::on_own_thread() const noexcept {
  return own_thread_of == this || job_frame::works_for(*this);
}

// ── ending ──

void pool_core::announce_end() noexcept {
  announced_.store(true, std::memory_order_relaxed);
  marks_.reach(pool_state::lame_duck, steady_nanoseconds());
}

void pool_core::close() noexcept {
  marks_.reach(pool_state::draining, steady_nanoseconds());
  lanes_.gate().set(closed_bit);
  crew_.synchronize();
  tell_line();
  wake_retrying();
  check_drained();
  tell_shutdown();
}

void pool_core::stop() {
  marks_.reach(pool_state::cancelling, steady_nanoseconds());
  lanes_.gate().set(closed_bit | cancelling_bit);
  cancelling_.store(true, std::memory_order_seq_cst);
  crew_.raise_alarm();
  tell_line();
  wake_retrying();
  revoke_permits();
  tell_shutdown();
  sweep();
  registry_.request_stop_of_all();
  check_drained();
}

void pool_core::wake_retrying() noexcept {
  try {
    retrying_.request_stop_of_all();
  } catch (...) {  // no memory: they see it when their pauses end
  }
}

void pool_core::revoke_permits() {
  for (unsigned lane = 0; lane != lanes_.count(); ++lane) {
    permit_count::unsettled const moving(permits_, lane, permit_count::all_positions);
    for (auto left = permits_.revoke(lane); left != 0; --left) {
      end_elsewhere(outcome::voided, lane, false);
    }
  }
}

// Somebody has closed or stopped the pool: its shutdown, if there is one, goes along. The bit was
// set before this looks for the sequence, which is there before it looks at the bits; so the one
// sees the other. Without memory for the notice the times run on as they were.
void pool_core::tell_shutdown() noexcept {
  if (!has_shutdown_.load(std::memory_order_seq_cst)) return;
  try {
    shutdown_->pool_has_moved(shared_from_this());
  } catch (...) {
    report_handler_error(std::current_exception());
  }
}

// Ends all that is queued, in the calling thread: the workers may be stuck.
void pool_core::sweep() {
  host_hold const until_told(*this);
  inline_job job;
  for (unsigned lane = 0; lane != lanes_.count(); ++lane) {
    job_ending cancelled{this, lane, outcome::cancelled, asio::error::operation_aborted};
    while (lanes_[lane].take_to_end(job, cancelled.note)) job.discard(cancelled);
  }
}

void pool_core::finish() {
  marks_.reach(pool_state::stopped, steady_nanoseconds());
  tell_line();
  wake_retrying();
  watch_.drained();
  auto none = ending::none;
  how_ended_.compare_exchange_strong(none, ending::finished, std::memory_order_seq_cst);
  how_ended_.notify_all();
  if (joining_.load(std::memory_order_seq_cst)) request_end();
}

// Stops the io_context once: a second stop could fall into deliver_the_rest().
void pool_core::request_end() noexcept {
  if (own_ && !end_requested_.exchange(true, std::memory_order_acq_rel)) own_->stop();
}

void pool_core::join() {
  if (on_own_thread()) {
    throw std::system_error(
        std::make_error_code(std::errc::resource_deadlock_would_occur),
        "brigade::worker_pool::join: called from one of the pool's own workers");
  }
  close();
  if (own_) {
    join_threads();
  } else {
    static_cast<void>(wait_for_end());
  }
}

void pool_core::join_threads() noexcept {
  joining_.store(true, std::memory_order_seq_cst);
  if (drained()) request_end();
  bool const may_be_joined = wait_for_end();
  std::lock_guard const lock(join_mutex_);
  for (auto& thread : threads_) {
    if (!thread.joinable()) continue;
    if (may_be_joined) {
      thread.join();
    } else {
      thread.detach();
    }
  }
}

// False: the jobs were given up, and the threads are not to be waited for.
bool pool_core::wait_for_end() const noexcept {
  how_ended_.wait(ending::none, std::memory_order_acquire);
  return how_ended_.load(std::memory_order_acquire) == ending::finished;
}

void pool_core::give_up() {
  // As one more of the pool's threads, unless all have left: then the last of them delivers.
  auto left = threads_left_.load(std::memory_order_relaxed);
  while (left != 0 && !threads_left_.compare_exchange_weak(left, left + 1)) {
  }
  if (left == 0) return let_go();
  try {
    std::thread([self = shared_from_this()] { self->deliver_for_the_stuck(); }).detach();
  } catch (...) {
    leave_threads();
    let_go();
    throw;
  }
}

void pool_core::let_go() noexcept {
  auto none = ending::none;
  how_ended_.compare_exchange_strong(none, ending::given_up, std::memory_order_seq_cst);
  how_ended_.notify_all();
}

// The stuck threads are still inside run(), and others may be, too. Each round runs what was there
// when it began: the mark behind it is a handler like any other, so whoever runs it, all that was
// in front of it has been begun by then. A stopped context belongs to the last thread out. What is
// posted once the gate is closed need not wait for the stuck; the threads themselves stay for what
// the abandoned jobs still have to do, and end with the last of these.
void pool_core::deliver_for_the_stuck() noexcept {
  constexpr int rounds = 16;
  own_thread_of = this;
  name_this_thread(fmt::format("{}/end", options_.name.substr(0, 11)));
  block_ending_signals();
  auto const a_round = [this] {
    auto const marked = std::make_shared<std::atomic<bool>>(false);
    asio::post(own_->get_executor(), [marked] { marked->store(true, std::memory_order_release); });
    std::size_t ran = 0;
    while (!marked->load(std::memory_order_acquire) && !own_->stopped()) {
      try {
        if (own_->poll_one() != 0) ++ran;
      } catch (...) {
        report_handler_error(std::current_exception());
      }
    }
    return ran > 1;
  };
  for (int round = 0; a_round() && round != rounds; ++round) {
  }
  while (!gate_.try_close()) std::this_thread::yield();
  a_round();
  let_go();
  leave_threads();
  own_thread_of = nullptr;
}

std::shared_ptr<shutdown_sequence> pool_core::shutdown() {
  std::call_once(shutdown_made_, [this] {
    shutdown_ = std::make_shared<shutdown_sequence>();
    has_shutdown_.store(true, std::memory_order_seq_cst);
  });
  return shutdown_;
}

void pool_core::abandon() noexcept {
  stop();
  if (!own_) return;
  if (!on_own_thread()) return join_threads();
  // A worker cannot wait for the job that it runs. The threads end by themselves, and the last one
  // takes the core with it.
  joining_.store(true, std::memory_order_seq_cst);
  if (drained()) request_end();
  std::lock_guard const lock(join_mutex_);
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.detach();
  }
}

void pool_core::host_gone() noexcept {
  if (host_gone_.exchange(true, std::memory_order_acq_rel)) return;
  host_work_.let_go();
  stop();
}

pool_state pool_core::state() const noexcept {
  auto const word = lanes_.gate().word();
  if ((word & drained_bit) != 0) return pool_state::stopped;
  if ((word & cancelling_bit) != 0) return pool_state::cancelling;
  if ((word & closed_bit) != 0) return pool_state::draining;
  return announced_.load(std::memory_order_relaxed) ? pool_state::lame_duck : pool_state::running;
}

}  // namespace brigade::detail
