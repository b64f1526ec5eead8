// A job for which there was no slot, and which tries again after a pause.
//
// Everything happens on a strand of the control context: the timer, the next try, the answer. Who
// wants to end the job early raises that in its control and asks it to stop, which wakes this; a
// pool that closes wakes it, too. Either way it looks again, and does not wait for its pause to
// end.
//
// No closing is missed: this adds itself to the pool's `retrying` set, under that set's lock, and
// then looks at whether the pool is closed; the pool closes, and then takes the lock to wake all in
// the set.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include <boost/asio/steady_timer.hpp>

#include <brigade/detail/backoff_steps.hpp>
#include <brigade/detail/control_context.hpp>
#include <brigade/detail/job_control.hpp>
#include <brigade/detail/submit_terms.hpp>

namespace brigade::detail {

class retrying_job final : public stoppable {
 public:
  retrying_job(pool_core& core, std::shared_ptr<job_control> control, cancellable_job* job,
               submit_terms const& terms);

  /// After the first try, which was refused. Owns the job from here on, unless it throws.
  void begin();

  /// The pool is closing, or has ended: tries at once.
  void request_stop() override;

 private:
  struct wake {
    retrying_job* self;
    void operator()() const noexcept;
  };

  // On the strand.
  void listen() noexcept;
  void pause();
  void try_again();
  void leave() noexcept;
  void refuse(error_code const& why);
  [[nodiscard]] admission_claim admit() noexcept;

  std::shared_ptr<pool_core> const core_;
  pool_core::host_hold until_told_;
  std::shared_ptr<job_control> const control_;
  cancellable_job* job_;  // null once it has been told, or is in the queue
  submitter const who_;
  std::optional<clock::time_point> const start_by_;
  clock::time_point const begun_ = clock::now();
  backoff_steps steps_;
  control_strand on_;
  boost::asio::steady_timer timer_;
  std::optional<std::stop_callback<wake>> on_cancel_;
  bool in_set_ = false;
};

}  // namespace brigade::detail
