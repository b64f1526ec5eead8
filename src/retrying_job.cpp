// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/retrying_job.hpp>

#include <algorithm>
#include <random>
#include <utility>

#include <boost/asio/post.hpp>

#include <brigade/detail/control_context.hpp>

namespace brigade::detail {

namespace asio = boost::asio;

namespace {

/// A number from 0 to 1. Used on the control thread only.
double roll() {
  static std::minstd_rand dice = [] {
    try {
      return std::minstd_rand{std::random_device{}()};
    } catch (...) {  // the system has no random numbers for us; the time will do
      return std::minstd_rand{
          static_cast<std::minstd_rand::result_type>(clock::now().time_since_epoch().count())};
    }
  }();
  return std::uniform_real_distribution<double>{0, 1}(dice);
}

}  // namespace

retrying_job::retrying_job(pool_core& core, std::shared_ptr<job_control> control,
                           cancellable_job* job, submit_terms const& terms)
    : core_(core.shared_from_this()),
      until_told_(core),
      control_(std::move(control)),
      job_(job),
      who_(job_frame::runs_job_of(core) ? submitter::running_job : submitter::outsider),
      start_by_(terms.options.start_by),
      steps_(*terms.retry),
      on_(control_context().get_executor()),
      timer_(on_) {}

void retrying_job::begin() {
  asio::post(on_, [self = std::static_pointer_cast<retrying_job>(shared_from_this())] {
    self->listen();
    // Either may have come before.
    self->core_->is_closed() || self->control_->wanted_end() ? self->try_again() : self->pause();
  });
}

void retrying_job::listen() noexcept {
  on_cancel_.emplace(control_->token(), wake{this});
  try {
    core_->retrying().add(*this);
    in_set_ = true;
  } catch (...) {  // no memory: the next try sees that the pool has closed
  }
}

void retrying_job::request_stop() {
  asio::post(on_, [self = std::static_pointer_cast<retrying_job>(shared_from_this())] {
    self->try_again();
  });
}

void retrying_job::wake::operator()() const noexcept {
  try {
    self->request_stop();
  } catch (...) {  // no memory: the next try sees it
  }
}

void retrying_job::pause() {
  if (job_ == nullptr) return;
  auto const now = clock::now();
  auto const pause = steps_.next(now - begun_, roll());
  if (!pause) return refuse(core_->refuse(verdict::queue_full));
  auto const next = now + *pause;
  timer_.expires_at(start_by_ ? std::min(next, *start_by_) : next);
  timer_.async_wait([self = std::static_pointer_cast<retrying_job>(shared_from_this())](
                        boost::system::error_code woken) {
    if (!woken) self->try_again();
  });
}

void retrying_job::try_again() {
  if (job_ == nullptr) return;
  timer_.cancel();
  auto why = control_->wanted_end();
  if (!why && start_by_ && clock::now() >= *start_by_) why = errc::expired;
  if (why) {
    core_->count_given_up(why);
    return refuse(why);
  }
  auto const claim = admit();
  if (claim.answer == verdict::queue_full) return pause();
  if (claim.answer == verdict::closed) return refuse(core_->refuse(claim.answer));
  leave();
  control_->queue(*core_, std::exchange(job_, nullptr), claim);
}

admission_claim retrying_job::admit() noexcept {
  try {
    return core_->admit_as(who_, control_->lane());
  } catch (...) {  // no memory: as good as no slot
    return {};
  }
}

void retrying_job::leave() noexcept {
  on_cancel_.reset();
  if (std::exchange(in_set_, false)) core_->retrying().remove(*this);
}

void retrying_job::refuse(error_code const& why) {
  leave();
  std::exchange(job_, nullptr)->refuse(*core_, why);
}

}  // namespace brigade::detail
