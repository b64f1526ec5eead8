// The threads of a pool that has its own: what they run, and how the last of them, or somebody in
// the place of those that are stuck, delivers what is due.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/pool_core.hpp>

#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include <brigade/detail/thread_place.hpp>
#include <brigade/detail/thread_setup.hpp>

namespace brigade::detail {

namespace {

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
thread_local bool comes_back = false;

}  // namespace

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
  comes_back = true;
  for (;;) {
    try {
      own_->run();
      break;
    } catch (...) {
      report_handler_error(std::current_exception());
    }
  }
  comes_back = false;
}

bool pool_core::thread_comes_back() const noexcept { return comes_back && own_thread_of == this; }

// By a thread in the midst of another handler.
bool pool_core::run_one_handler() {
  struct absence {
    bool const before = std::exchange(comes_back, false);
    ~absence() { comes_back = before; }
  } const until_here;
  return own_->poll_one() != 0;
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

// Stops the io_context once: a second stop could fall into deliver_the_rest().
void pool_core::request_end() noexcept {
  if (own_ && !end_requested_.exchange(true, std::memory_order_acq_rel)) own_->stop();
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

}  // namespace brigade::detail
