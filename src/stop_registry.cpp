// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/stop_registry.hpp>

namespace brigade::detail {

void stop_registry::add(stoppable& job) {
  std::lock_guard const lock(mutex_);
  jobs_.push_back(&job);
  job.index_ = jobs_.size() - 1;
}

void stop_registry::remove(stoppable& job) noexcept {
  std::lock_guard const lock(mutex_);
  jobs_[job.index_] = jobs_.back();
  jobs_[job.index_]->index_ = job.index_;
  jobs_.pop_back();
}

void stop_registry::request_stop_of_all() {
  std::vector<std::shared_ptr<stoppable>> running;
  {
    std::lock_guard const lock(mutex_);
    running.reserve(jobs_.size());
    for (auto* job : jobs_) running.push_back(job->shared_from_this());
  }
  for (auto const& job : running) job->request_stop();
}

}  // namespace brigade::detail
