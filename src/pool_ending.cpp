// How a pool ends: closed, stopped, joined, left behind.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/pool_core.hpp>

#include <system_error>

#include <boost/asio/error.hpp>

#include <brigade/detail/job_ending.hpp>
#include <brigade/detail/steady_clock.hpp>

namespace brigade::detail {

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
