// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/shutdown_sequence.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

namespace asio = boost::asio;

namespace {

/// How long join() waits for the handlers that are due when jobs have been given up.
constexpr std::chrono::seconds for_due_handlers{1};

/// Takes the news that the pool has drained to the strand.
class drained_notice final : public drain_watcher {
 public:
  explicit drained_notice(std::function<void()> then) : then_(std::move(then)) {}
  void tell(error_code) override { then_(); }

 private:
  std::function<void()> then_;
};

}  // namespace

void check(shutdown_options const& times) {
  for (auto const& [time, name] : {std::pair{times.lame_duck, "lame_duck"},
                                   {times.drain, "drain"},
                                   {times.cancel, "cancel"}}) {
    if (time.count() >= 0) continue;
    throw std::invalid_argument(fmt::format(
        "brigade::shutdown_options::{}: {} ms is negative; give 0 or more", name, time.count()));
  }
}

std::chrono::milliseconds at_most_ten_years(std::chrono::milliseconds time) noexcept {
  constexpr std::chrono::milliseconds ten_years = std::chrono::hours{24 * 365 * 10};
  return std::min(time, ten_years);
}

shutdown_sequence::shutdown_sequence() : on_(control_context().get_executor()), timer_(on_) {}

void shutdown_sequence::add(shared_core core, std::uint64_t id,
                            std::unique_ptr<shutdown_waiter> waiter, phase_hook hook) {
  asio::post(on_, [self = shared_from_this(), core = std::move(core), id,
                   waiter = std::move(waiter), hook = std::move(hook)]() mutable {
    if (self->ended_) return waiter->tell({}, self->report_);
    self->waiting_.emplace(id, std::move(waiter));
    if (hook) {
      // What the hook refers to may be gone when its waiter is.
      self->hooks_.push_back([&waiting = self->waiting_, id, hook](pool_state phase) {
        if (waiting.contains(id)) hook(phase);
      });
    }
    self->watch_drain(core);
  });
}

void shutdown_sequence::cancel(std::uint64_t id) {
  asio::post(on_, [self = shared_from_this(), id] {
    auto const node = self->waiting_.extract(id);
    if (!node.empty()) node.mapped()->tell(asio::error::operation_aborted, self->report_);
  });
}

void shutdown_sequence::begin(shared_core core, shutdown_options times, int signal,
                              place_in_group place) {
  asio::post(on_, [self = shared_from_this(), core = std::move(core), times, signal, place] {
    self->begin_now(core, times, signal, place);
  });
}

void shutdown_sequence::end_lame_duck(shared_core core, void const* group) {
  asio::post(on_, [self = shared_from_this(), core = std::move(core), group] {
    bool const waits = !self->ended_ && self->phase_ == pool_state::lame_duck;
    if (waits && self->place_.group == group) self->drain(core);
  });
}

void shutdown_sequence::hurry(shared_core core) {
  asio::post(on_, [self = shared_from_this(), core = std::move(core)] {
    if (self->begun_) self->cancel_jobs(core);
  });
}

void shutdown_sequence::pool_has_moved(shared_core core) {
  asio::post(on_, [self = shared_from_this(), core = std::move(core)] {
    if (self->begun_) self->follow(core);
  });
}

// The pool may have been closed or stopped by hand.
void shutdown_sequence::follow(shared_core const& core) {
  if (ended_) return;
  auto const state = core->state();
  if (state == pool_state::draining && phase_ < state) drain(core);
  if (state == pool_state::cancelling) cancel_jobs(core);
}

void shutdown_sequence::begin_now(shared_core const& core, shutdown_options const& times,
                                  int signal, place_in_group const& place) {
  if (begun_ || ended_) return;
  begun_ = true;
  place_ = place;
  began_ = std::chrono::steady_clock::now();
  times_ = times;
  report_.signal = signal;
  report_.cancelled_before = core->metrics().cancelled;
  watch_drain(core);
  if (core->drained()) return;  // the notice is on its way
  follow(core);
  if (phase_ != pool_state::running) return;
  if (times.lame_duck.count() == 0) return drain(core);
  core->announce_end();
  enter(core, pool_state::lame_duck);
  then_after(times.lame_duck, core, &shutdown_sequence::drain);
}

void shutdown_sequence::drain(shared_core const& core) {
  core->close();
  enter(core, pool_state::draining);
  auto const left = std::chrono::floor<std::chrono::milliseconds>(place_.drained_by -
                                                                  std::chrono::steady_clock::now());
  then_after(std::min(times_.drain, std::max(left, std::chrono::milliseconds{0})), core,
             &shutdown_sequence::cancel_jobs);
}

void shutdown_sequence::cancel_jobs(shared_core const& core) {
  if (ended_ || phase_ >= pool_state::cancelling) return;
  enter(core, pool_state::cancelling);
  then_after(times_.cancel, core, &shutdown_sequence::give_up);
  core->stop();
}

void shutdown_sequence::give_up(shared_core const& core) {
  if (ended_) return;
  finish(core, pool_state::cancelling);
  // A handler that is due may be stuck like the job before it. The wait keeps the core.
  timer_.expires_after(for_due_handlers);
  timer_.async_wait([self = shared_from_this(), core](error_code) { core->let_go(); });
  core->give_up();
}

void shutdown_sequence::pool_has_drained(shared_core const& core) {
  if (ended_) return;
  enter(core, pool_state::stopped);
  finish(core, pool_state::stopped);
}

void shutdown_sequence::watch_drain(shared_core const& core) {
  if (std::exchange(watching_, true)) return;
  auto const list = core->watch().watch();
  list->add(list->next_id(), std::make_unique<drained_notice>([weak = weak_from_this(),
                                                               keep = core->weak_from_this()] {
              auto const self = weak.lock();
              auto const core_alive = keep.lock();
              if (!self || !core_alive) return;
              asio::post(self->on_, [self, core_alive] { self->pool_has_drained(core_alive); });
            }));
  if (core->drained()) list->drained();
}

void shutdown_sequence::enter(shared_core const& core, pool_state phase) {
  if (phase <= phase_) return;
  phase_ = phase;
  for (auto const& hook : hooks_) {
    try {
      hook(phase);
    } catch (...) {
      core->report_handler_error(std::current_exception());
    }
  }
}

// A timer that was set before the last one may have fired already; its handler then finds that it
// is not the last.
void shutdown_sequence::then_after(std::chrono::milliseconds time, shared_core const& core,
                                   step next) {
  timer_.expires_after(at_most_ten_years(time));
  timer_.async_wait([self = shared_from_this(), core, next, set = ++timers_set_](error_code) {
    if (set == self->timers_set_ && !self->ended_) ((*self).*next)(core);
  });
}

void shutdown_sequence::finish(shared_core const& core, pool_state reached) {
  ended_ = true;
  timer_.cancel();
  auto const now = core->metrics();
  report_.reached = reached;
  report_.completed = now.completed;
  report_.failed = now.failed;
  report_.cancelled = now.cancelled;
  report_.expired = now.expired;
  report_.shed = now.shed;
  report_.abandoned = now.queued_jobs + now.running_jobs;
  if (report_.abandoned != 0) {
    report_.abandoned_jobs = core->running();
    std::erase_if(report_.abandoned_jobs, [](running_job const& job) {
      return job.what == running_job::kind::handler;  // its job has ended
    });
  }
  if (begun_) report_.elapsed = std::chrono::steady_clock::now() - began_;
  hooks_.clear();
  auto const told = std::exchange(waiting_, {});
  for (auto const& [id, waiter] : told) {
    try {
      waiter->tell({}, report_);
    } catch (...) {
      core->report_handler_error(std::current_exception());
    }
  }
}

}  // namespace brigade::detail
