// async_submit of a coroutine: it holds its slot, and no thread, while it is suspended.
//
// Each coroutine job runs on a strand of its own. Cancellation comes from other threads (a slot, a
// stop of the pool), and a cancellation signal may only be emitted where the coroutine runs.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <brigade/detail/early_ending_job.hpp>
#include <brigade/detail/job_control.hpp>
#include <brigade/detail/job_executor.hpp>

namespace brigade::detail {

class coroutine_control final : public job_control {
 public:
  using strand = asio::strand<job_executor<asio::any_io_executor>>;

  coroutine_control(pool_core& core, submit_terms const& terms)
      : job_control(core, terms),
        on_(asio::make_strand(job_executor<asio::any_io_executor>(core, core.executor()))) {}

  /// Cancels on the strand; does nothing once the coroutine has ended.
  void interrupt(asio::cancellation_type type) override {
    job_control::interrupt(type);
    auto const pool = core();
    auto const on = strand_if_alive();
    if (!pool || !on) return;
    // With the gate open the pool's threads will still run what is posted here.
    auto const ticket = pool->owns_threads() ? pool->gate().enter() : delivery_gate::ticket{};
    if (pool->owns_threads() && !ticket) return;
    asio::post(*on, [self = std::static_pointer_cast<coroutine_control>(shared_from_this()), type] {
      self->emit(type);
    });
  }

  /// Runs the body of the job. A cancellation that came before is emitted once the body has reached
  /// its first suspension: earlier it would find nothing to cancel.
  template <class R>
  static asio::awaitable<R> run(std::shared_ptr<coroutine_control> self, asio::awaitable<R> body) {
    self->begun_ = true;
    if (self->early_ != asio::cancellation_type::none) {
      if (auto const on = self->strand_if_alive()) {
        asio::post(*on, [self] { self->emit(self->early_); });
      }
    }
    co_return co_await std::move(body);
  }

  std::optional<strand> strand_if_alive() const {
    std::lock_guard const lock(mutex_);
    return on_;
  }

  /// The strand must not outlive the context, which a cancellation slot that holds this may.
  void drop_strand() {
    signal.slot().clear();
    std::optional<strand> dropped;
    std::lock_guard const lock(mutex_);
    dropped.swap(on_);
  }

  /// Before running(): the record that other threads may look at from then on.
  void began(worker_activity const& on) noexcept { beginning_ = {on.since(), on.name()}; }
  [[nodiscard]] std::optional<beginning> off_worker() const override { return beginning_; }

  asio::cancellation_signal signal;  // used on the strand, and by co_spawn before it runs there

 private:
  void emit(asio::cancellation_type type) {
    if (begun_) {
      signal.emit(type);
    } else {
      early_ |= type;
    }
  }

  beginning beginning_;
  mutable std::mutex mutex_;
  std::optional<strand> on_;                                       // guarded by mutex_
  bool begun_ = false;                                             // touched on the strand only
  asio::cancellation_type early_ = asio::cancellation_type::none;  // the same
};

template <class Handler, class F>
class coroutine_submission final
    : public early_ending_job<coroutine_submission<Handler, F>, Handler, F> {
  using shape = job_shape<F>;
  using result = typename shape::result;
  using base = early_ending_job<coroutine_submission, Handler, F>;
  using base::in_group_;
  using base::work_;

 public:
  template <class G>
  coroutine_submission(addressed_handler<Handler>&& to, G&& g,
                       std::shared_ptr<coroutine_control> control)
      : base(std::move(to), std::forward<G>(g), control), control_(std::move(control)) {}
  coroutine_submission(coroutine_submission const&) = delete;
  coroutine_submission& operator=(coroutine_submission const&) = delete;
  /// The job is over, begun or not; its handler's slot may go on to keep the control.
  ~coroutine_submission() { control_->drop_strand(); }

  void start(job_context& context, std::shared_ptr<job_control> control) override {
    context.start(control->name());
    auto& core = context.core;
    auto coroutine = std::static_pointer_cast<coroutine_control>(std::move(control));
    coroutine->keep_note(context.note);
    try {
      coroutine->began(*context.activity);
      coroutine->running(core);
      auto awaitable = make_awaitable(*coroutine);
      spawn(core, coroutine, std::move(awaitable));
    } catch (...) {
      // The job's own call threw before there was a coroutine.
      finish(core, *coroutine, outcome::failed, failed_with<result>(std::current_exception()));
    }
    context.leave_running();
  }

 private:
  /// Sees to it that the job ends exactly once: with the coroutine's result, or, if its frame is
  /// destroyed with the context that it was suspended in, as cancelled.
  class running {
   public:
    running(coroutine_submission* job, std::shared_ptr<pool_core> core,
            std::shared_ptr<coroutine_control> control) noexcept
        : job_(job), core_(std::move(core)), control_(std::move(control)) {}
    running(running&& other) noexcept
        : job_(std::exchange(other.job_, nullptr)),
          core_(std::move(other.core_)),
          control_(std::move(other.control_)) {}
    running& operator=(running&&) = delete;
    ~running() {
      if (job_ == nullptr) return;
      job_->finish(*core_, *control_, outcome::cancelled,
                   failed_with<result>(verdict_exception(asio::error::operation_aborted)));
    }

    template <class... Value>
    void operator()(std::exception_ptr failure, Value... value) {
      job_result<result> given;
      given.failure = std::move(failure);
      if constexpr (sizeof...(Value) != 0) {
        if (!given.failure) given.set_value(std::move(value)...);
      }
      auto const how = given.failure ? outcome::failed : outcome::completed;
      std::exchange(job_, nullptr)->finish(*core_, *control_, how, std::move(given));
    }

   private:
    coroutine_submission* job_;
    std::shared_ptr<pool_core> core_;
    std::shared_ptr<coroutine_control> control_;
  };

  auto make_awaitable(job_control const& control) {
    if constexpr (shape::takes_stop_token) {
      return std::invoke(std::move(work_.job), control.token());
    } else {
      return std::invoke(std::move(work_.job));
    }
  }

  template <class Awaitable>
  void spawn(pool_core& core, std::shared_ptr<coroutine_control> const& coroutine,
             Awaitable&& awaitable) noexcept {
    running end(this, core.shared_from_this(), coroutine);
    try {
      auto const on = coroutine->strand_if_alive();
      asio::co_spawn(*on, coroutine_control::run<result>(coroutine, std::move(awaitable)),
                     asio::bind_cancellation_slot(coroutine->signal.slot(), std::move(end)));
    } catch (...) {
      // No memory to start it: what `end` was moved into has been destroyed, and has told.
      core.report_job_error(std::current_exception());
    }
  }

  void finish(pool_core& core, coroutine_control& control, outcome how,
              job_result<result>&& given) {
    auto const keep = core.shared_from_this();
    control.ended(core);
    control.drop_strand();
    auto in_group = std::move(in_group_);
    auto told = std::move(work_.to);
    destroy_boxed(this, allocator_of(told.handler));
    job_frame::job_ended();
    auto const ticket = core.owns_threads() ? core.gate().enter() : delivery_gate::ticket{};
    if (control.note()) core.tracer().end(control.note(), how, std::nullopt);
    core.end_elsewhere(how, control.lane(), false);
    in_group.end(how, given.failure);
    tell_later(core, std::move(told), std::move(given));
  }

  std::shared_ptr<coroutine_control> const control_;
};

template <class Handler, class G>
void submit_coroutine(pool_core& core, Handler&& handler, G&& job, submit_terms const& terms) {
  if (terms.options.when_full == overflow::caller_runs) {
    throw std::invalid_argument(
        "brigade::submit_options::when_full: overflow::caller_runs cannot run a coroutine, which "
        "may be suspended, in the caller; use wait or reject");
  }
  auto const [box, control, answer] =
      submit_boxed<coroutine_submission<Handler, std::decay_t<G>>, coroutine_control>(
          core, std::forward<Handler>(handler), std::forward<G>(job), terms);
  if (box != nullptr && answer != verdict::admitted) box->refuse(core, core.refuse(answer));
}

}  // namespace brigade::detail
