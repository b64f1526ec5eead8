// The state that a pool, its workers and its unfinished jobs share.
//
// It outlives the worker_pool: a worker, a turn on a host's executor and a coroutine job hold it
// until they are done, which is why a pool may be destroyed from one of its own jobs.
//
// The parts: lanes (who gets in, what is queued), line (who waits for a slot), deadlines, crew (who
// is woken), ledger (what became of it), registry (what can be asked to stop), gate (what its
// threads must still deliver).
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brigade/detail/rtti.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/container/small_vector.hpp>

#include <brigade/detail/atomic.hpp>
#include <brigade/detail/codel_controller.hpp>
#include <brigade/detail/crew.hpp>
#include <brigade/detail/deadline_set.hpp>
#include <brigade/detail/delivery_gate.hpp>
#include <brigade/detail/drain_watch.hpp>
#include <brigade/detail/host_work.hpp>
#include <brigade/detail/job_frame.hpp>
#include <brigade/detail/job_tracer.hpp>
#include <brigade/detail/lane_set.hpp>
#include <brigade/detail/ledger.hpp>
#include <brigade/detail/permit_count.hpp>
#include <brigade/detail/refusal_counts.hpp>
#include <brigade/detail/shutdown_sequence.hpp>
#include <brigade/detail/state_marks.hpp>
#include <brigade/detail/stop_registry.hpp>
#include <brigade/detail/submit_terms.hpp>
#include <brigade/detail/turn_memory.hpp>
#include <brigade/detail/waiting_line.hpp>
#include <brigade/detail/worker_activity.hpp>
#include <brigade/metrics.hpp>
#include <brigade/options.hpp>
#include <brigade/pool_dump.hpp>
#include <brigade/running_job.hpp>

namespace brigade::detail {

namespace asio = boost::asio;

/// Something of each lane; of one lane without memory from the heap.
template <class T>
using by_lane = boost::container::small_vector<T, 1>;

class pool_core : public std::enable_shared_from_this<pool_core> {
 public:
  /// With threads of its own.
  static std::shared_ptr<pool_core> with_threads(pool_options options);
  /// On the threads of a host.
  static std::shared_ptr<pool_core> on_host(asio::any_io_executor host, pool_options options);

  ~pool_core();
  pool_core(pool_core const&) = delete;
  pool_core& operator=(pool_core const&) = delete;

  // ── submitting ──

  /// Positions for `wanted` jobs, fewer or none. Counts nothing.
  admission_claim admit(unsigned lane, std::uint64_t wanted = 1) {
    auto claim = lanes_.admit(lane, submitter::outsider, wanted);
    if (claim.answer == verdict::closed || (!claim.count && lanes_.count() != 1)) [[unlikely]]
      return admit_again(lane, wanted, claim);
    return claim;
  }
  /// For one job, in lane 0; see job_queue.
  std::uint64_t admit_plainly() noexcept { return lanes_.admit_plainly(); }
  /// For one job, on its terms; it does not wait.
  admission_claim admit(submit_terms const& terms) {
    if (terms.has_slot) return admit_as(submitter::slot_holder, terms.options.lane);
    auto const claim = admit(terms.options.lane);
    if (claim.answer == verdict::queue_full && terms.options.when_full == overflow::drop_oldest) {
      return take_slot_of_oldest(terms.options.lane);
    }
    return claim;
  }

  /// What it says and no more, for somebody who is known: does not ask whether a job of the pool
  /// submits, drops nobody, and does not wait.
  admission_claim admit_as(submitter who, unsigned lane, std::uint64_t wanted = 1);
  /// Leaves a claimed position without a job; the slot is kept until its end is counted.
  void leave_empty(admission_claim const& claim, std::uint64_t index = 0) {
    lanes_[claim.lane].leave_empty(claim, index);
    wake_if_needed();  // for the jobs that were published behind it
  }

  /// What admit() would answer; `admitted` too where the terms leave room for more than a refusal.
  [[nodiscard]] verdict probe(submit_terms const& terms) const noexcept;

  /// Throws: `std::out_of_range` where the pool has no such lane.
  void check_lane(unsigned lane) const {
    if (lane >= lanes_.count()) [[unlikely]]
      throw_no_such_lane(lane);
  }

  /// Counts a refusal and gives its error code.
  error_code refuse(verdict why) noexcept;
  /// Counts somebody who left the line without a slot.
  void count_given_up(error_code const& why) noexcept;
  /// Counts a job that its caller ran.
  void count_caller_ran() noexcept { caller_ran_.fetch_add(1, std::memory_order_relaxed); }

  /// Makes a filled job visible to the workers; first tells of it whom it concerns.
  void publish(admission_claim const& claim, std::uint64_t index = 0) noexcept {
    auto const weight = tracer_.weight_of(claim.position + index);
    if (weight != 0) [[unlikely]]
      return publish_noted(claim, index, weight);
    lanes_[claim.lane].publish(claim, index);
  }
  void publish_plain(std::uint64_t position) noexcept {
    auto const weight = tracer_.weight_of(position);
    if (weight != 0) [[unlikely]]
      return publish_noted({verdict::admitted, 0, position, 1}, 0, weight);
    lanes_[0].publish_plain(position);
  }
  /// The same for a job whose note has been made before.
  void publish(admission_claim const& claim, job_note const& note) noexcept {
    if (note) {
      lanes_[claim.lane].publish(claim, 0, note);
    } else {
      lanes_[claim.lane].publish(claim);
    }
  }
  /// The note of a job that is about to be published; an empty one where it gets none.
  job_note note_of(admission_claim const& claim, char const* name) noexcept;
  job_tracer& tracer() noexcept { return tracer_; }

  /// For how long a worker is busy with a job, lately; see timing_recorder. Zero where timing is
  /// off.
  [[nodiscard]] std::chrono::nanoseconds average_run_time() const noexcept {
    return tracer_.times() != nullptr ? tracer_.times()->average_run_time()
                                      : std::chrono::nanoseconds::zero();
  }

  lane_set& lanes() noexcept { return lanes_; }
  lane_set const& lanes() const noexcept { return lanes_; }

  /// Who waits for a slot; made on first use.
  waiting_line& line();
  /// Whether slots that come free are awaited. By the line, on its strand.
  void await_slots(bool yes) noexcept { slots_awaited_.store(yes, std::memory_order_seq_cst); }
  atomic<bool> const& slots_awaited() const noexcept { return slots_awaited_; }
  /// Tells the line of a slot that has come free.
  void tell_line() noexcept;

  /// The deadlines of jobs that have not started; made on first use.
  std::shared_ptr<deadline_set> deadlines();

  permit_count& permits() noexcept { return permits_; }

  /// After publishing: wakes a worker if the awake ones may not suffice.
  void wake_if_needed() noexcept {
    if (crew_.needs_wake()) wake();
  }

  // ── running ──

  crew& workers() noexcept { return crew_; }
  ledger& counts() noexcept { return ledger_; }
  /// Where the worker that holds `slot` is in its round of the lanes; only where there are several.
  lane_set::round& round_of(unsigned slot) noexcept { return rounds_[slot]; }
  /// Whether a job that has come to its worker has been queued for too long to be run.
  bool is_overdue(unsigned lane, inline_job const& job) noexcept {
    return sheds_ &&
           shedders_[lane].sheds(job.stamp.load(std::memory_order_relaxed), fine_milliseconds());
  }
  worker_activity& activity_of(unsigned slot) noexcept { return activities_[slot]; }
  stop_registry& registry() noexcept { return registry_; }
  /// Jobs that have no slot and try again after a pause; they are woken as the pool ends.
  stop_registry& retrying() noexcept { return retrying_; }
  pool_options const& options() const noexcept { return options_; }

  [[nodiscard]] bool cancelling() const noexcept {
    return cancelling_.load(std::memory_order_relaxed);
  }

  /// Posts the turn of a worker that holds `slot`. Where a host's executor has no memory for it the
  /// slot is given back, and the next submission tries again.
  void post_turn(unsigned slot, bool searching) noexcept;
  /// The same by a worker's turn that ends and will go on, on one of the pool's own threads that comes
  /// back: for a posted one Asio wakes another thread if one sleeps, and the jobs would change threads
  /// with every turn.
  void defer_turn(unsigned slot) noexcept;
  /// Whether the calling thread looks for handlers as soon as this one has returned. Asio leaves what
  /// was deferred to it, and wakes nobody. A host's thread may be in run_one(), or in the last moment
  /// of run_for(); one that helps while it waits has a handler to go on with.
  [[nodiscard]] bool thread_comes_back() const noexcept;

  /// How long a worker that was just woken may look for jobs: not long where the last worker to go
  /// idle has been asleep for much longer than lingering would have bridged.
  [[nodiscard]] std::chrono::nanoseconds linger_after_wake() const noexcept;
  /// Gives the time, in nanoseconds of the steady clock.
  std::int64_t note_idle() noexcept;

  /// A job has ended on a thread that has no tally: counts it, and its start where `never_started`.
  void end_elsewhere(outcome how, unsigned lane, bool never_started);

  /// Notices the end of a drain. Call where the last job may have ended.
  void check_drained() {
    if (lanes_.try_finish()) finish();
  }
  [[nodiscard]] bool is_closed() const noexcept { return (lanes_.gate().word() & closed_bit) != 0; }

  void report_job_error(std::exception_ptr const& failure) noexcept;
  void report_handler_error(std::exception_ptr const& failure) noexcept;

  /// Whether the calling thread is one of the pool's, or runs one of its jobs or handlers.
  [[nodiscard]] bool works_here() const noexcept { return on_own_thread(); }
  /// By such a thread that would else wait: runs a queued job, or a handler that is ready. False:
  /// there is nothing to do.
  bool help() noexcept;

  // ── where completions go ──

  /// The pool's executor: its own io_context's, or the host's.
  asio::any_io_executor const& executor() const noexcept { return executor_; }
  [[nodiscard]] bool owns_threads() const noexcept { return own_ != nullptr; }
  asio::io_context::executor_type own_executor() noexcept { return own_->get_executor(); }
  delivery_gate& gate() noexcept { return gate_; }

  /// Whether `context` is the one that the pool's executor belongs to.
  [[nodiscard]] bool is_own_context(asio::execution_context const& context) const noexcept {
    return &context == context_;
  }
  /// Whether the host's context is being or has been destroyed.
  [[nodiscard]] bool host_is_gone() const noexcept {
    return host_gone_.load(std::memory_order_acquire);
  }

  /// Keeps the host's run() from returning while it lives; nothing where the pool has threads of
  /// its own. The core must outlive it.
  class host_hold {
   public:
    explicit host_hold(pool_core& core) : core_(core) {
      if (!core_.owns_threads()) core_.host_work_.add(core_.executor_);
    }
    ~host_hold() {
      if (!core_.owns_threads()) core_.host_work_.remove();
    }
    host_hold(host_hold const&) = delete;
    host_hold& operator=(host_hold const&) = delete;

   private:
    pool_core& core_;
  };

  // ── ending ──

  /// Says that the end is near; admission goes on.
  void announce_end() noexcept;
  void close() noexcept;
  void stop();
  /// By whoever has put a job where stop() may have passed already.
  void end_queued_if_cancelling() {
    if (cancelling()) sweep();
  }
  /// Owned threads: ends them once drained; throws from one of them. On a host: waits for the
  /// drain.
  void join();
  /// After stop(): nobody waits any longer for the jobs that still run. Handlers that are due are
  /// called by a thread started for them, for the workers may all be stuck.
  void give_up();
  /// The same, though there may be handlers that are due: one of them may be stuck, too.
  void let_go() noexcept;
  /// As the pool's destructor: stop, and join unless this is one of the pool's own threads.
  void abandon() noexcept;
  /// The host's context is being destroyed.
  void host_gone() noexcept;

  [[nodiscard]] pool_state state() const noexcept;
  [[nodiscard]] bool drained() const noexcept { return (lanes_.gate().word() & drained_bit) != 0; }
  drain_watch& watch() noexcept { return watch_; }
  /// The phases of the shutdown, made on first use.
  std::shared_ptr<shutdown_sequence> shutdown();

  [[nodiscard]] std::chrono::nanoseconds estimated_wait() const;
  [[nodiscard]] pool_metrics metrics() const;
  /// What is on the workers, handlers included, and the coroutine jobs.
  [[nodiscard]] std::vector<running_job> running() const;
  /// Those on the workers that the watch has told of.
  [[nodiscard]] std::vector<running_job> stuck() const;
  [[nodiscard]] pool_dump dump() const;
  /// A job runs for too long: tells the hook.
  void tell_stuck(running_job job) noexcept;

  explicit pool_core(pool_options options, asio::any_io_executor host = {});

 private:
  void start_threads();
  void run_thread(unsigned index) noexcept;
  void run_handlers() noexcept;
  bool run_one_handler();
  void leave_threads() noexcept;
  void deliver_the_rest() noexcept;
  void deliver_for_the_stuck() noexcept;
  [[nodiscard]] bool wait_for_end() const noexcept;
  void request_end() noexcept;
  void join_threads() noexcept;
  [[nodiscard]] bool on_own_thread() const noexcept;
  admission_claim admit_again(unsigned lane, std::uint64_t wanted, admission_claim refused);
  admission_claim take_slot_of_oldest(unsigned lane);
  error_code count_refusal(verdict why) noexcept {
    refusals_.add(why);
    return why == verdict::queue_full ? full_ : closed_;
  }
  error_code refuse_traced(verdict why) noexcept;
  [[noreturn]] void throw_no_such_lane(unsigned lane) const;
  void revoke_permits();
  void wake_retrying() noexcept;
  [[nodiscard]] lane_metrics lane_now(unsigned lane, job_counts const& counts) const;
  [[nodiscard]] by_lane<lane_metrics> all_lanes_now() const;
  void publish_noted(admission_claim const& claim, std::uint64_t index, unsigned weight) noexcept;
  void sweep();
  void finish();
  void tell_shutdown() noexcept;
  [[nodiscard]] std::chrono::nanoseconds longest_running() const noexcept;
  void wake() noexcept;

  pool_options options_;
  job_tracer tracer_;
  ledger ledger_;
  lane_set lanes_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> told_admitted_;  // by lane: by the snapshots so far
  std::vector<lane_set::round> rounds_;    // by slot; empty where there is one lane
  std::deque<codel_controller> shedders_;  // by lane; empty where nothing is shed
  crew crew_;
  std::unique_ptr<turn_memory[]> turn_memories_;
  std::unique_ptr<worker_activity[]> activities_;
  stop_registry registry_;
  stop_registry retrying_;
  drain_watch watch_;
  std::once_flag shutdown_made_;
  std::atomic<bool> has_shutdown_{false};
  std::shared_ptr<shutdown_sequence> shutdown_;

  std::once_flag line_made_;
  std::shared_ptr<waiting_line> line_;
  std::atomic<waiting_line*> line_if_made_{nullptr};
  std::once_flag deadlines_made_;
  std::shared_ptr<deadline_set> deadlines_;
  permit_count permits_;

  // Made once: a code asks its category, by a virtual call, whether it is a failure.
  error_code const full_{errc::queue_full};
  error_code const closed_{errc::closed};
  refusal_counts refusals_;
  std::atomic<std::uint64_t> cancelled_in_line_{0};
  std::atomic<std::uint64_t> expired_in_line_{0};
  std::atomic<std::uint64_t> caller_ran_{0};
  std::atomic<std::uint64_t> handler_errors_{0};

  alignas(64) std::atomic<bool> cancelling_{false};  // for takers; the word's bit decides
  bool const sheds_;                                 // there are shedders
  atomic<bool> slots_awaited_{false};
  std::atomic<bool> host_gone_{false};
  enum class ending { none, finished, given_up };
  std::atomic<ending> how_ended_{ending::none};  // finished: drained, and the watchers told
  std::atomic<bool> announced_{false};
  state_marks marks_;
  std::atomic<std::int64_t> idle_since_{0};  // steady_clock nanoseconds
  std::atomic<bool> joining_{false};
  std::atomic<bool> end_requested_{false};
  std::atomic<unsigned> threads_left_{0};
  delivery_gate gate_;
  host_work host_work_;

  std::mutex join_mutex_;  // held while threads are joined
  std::vector<std::thread> threads_;

  // Last, so that handlers still in it are destroyed while the rest is there.
  asio::any_io_executor executor_;
  asio::execution_context* context_ = nullptr;
  std::unique_ptr<asio::io_context> own_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> own_work_;
};

}  // namespace brigade::detail
