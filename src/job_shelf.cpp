// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/job_shelf.hpp>

#include <utility>

namespace brigade::detail {

void job_shelf::hold(node&& job, std::uint64_t position) noexcept {
  std::lock_guard const lock(mutex_);
  held_.insert(std::move(job), position);
}

void job_shelf::call(std::uint64_t position) noexcept {
  std::lock_guard const lock(mutex_);
  auto job = held_.remove(position);
  if (job.empty()) return;
  called_.insert(std::move(job), position);
  called_count_.fetch_add(1, std::memory_order_seq_cst);
}

bool job_shelf::take_called(inline_job& out) noexcept {
  std::lock_guard const lock(mutex_);
  if (called_.empty()) return false;
  out.take_from(called_.remove_first().mapped().job);
  called_count_.fetch_sub(1, std::memory_order_seq_cst);
  return true;
}

bool job_shelf::take_any(inline_job& out) noexcept {
  std::lock_guard const lock(mutex_);
  bool const is_called = &oldest() == &called_;
  auto& from = is_called ? called_ : held_;
  if (from.empty()) return false;
  out.take_from(from.remove_first().mapped().job);
  if (is_called) called_count_.fetch_sub(1, std::memory_order_seq_cst);
  return true;
}

job_shelf::node job_shelf::remove(std::uint64_t position) noexcept {
  std::lock_guard const lock(mutex_);
  if (auto job = held_.remove(position); !job.empty()) return job;
  auto job = called_.remove(position);
  if (!job.empty()) called_count_.fetch_sub(1, std::memory_order_seq_cst);
  return job;
}

bool job_shelf::oldest_stamp(std::uint32_t& stamp) const noexcept {
  std::lock_guard const lock(mutex_);
  auto const& from = oldest();
  if (from.empty()) return false;
  stamp = from.first_stamp();
  return true;
}

// Under the lock.
overflow_store const& job_shelf::oldest() const noexcept {
  if (held_.empty()) return called_;
  if (called_.empty()) return held_;
  return held_.first_position() < called_.first_position() ? held_ : called_;
}

}  // namespace brigade::detail
