// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/group_state.hpp>

#include <numeric>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>

#include <brigade/detail/report.hpp>

namespace brigade::detail {

namespace {

std::exception_ptr aborted() noexcept {
  return verdict_exception(boost::asio::error::operation_aborted);
}

}  // namespace

void group_state::join(group_member& member) noexcept {
  bool late = false;
  {
    std::lock_guard const lock(mutex_);
    member.place_ = group_member::place::queued;
    members_.push_back(member);
    ++submitted_;
    late = cancelled_;
  }
  if (!late) return;
  try {
    member.cancel_member();
  } catch (...) {  // then the worker that comes with it ends it
  }
}

group_state::entry group_state::enter(group_member& member, job_context& context) noexcept {
  std::lock_guard const lock(mutex_);
  // Over: somebody has ended it, and claimed it before that.
  bool const is_over = member.place_ >= group_member::place::ended;
  if (is_over || cancelled_) return entry::cancelled;
  if (member.place_ == group_member::place::queued) {
    if (!has_room()) {
      member.place_ = group_member::place::held_back;
      held_back_.push_back(member);
      member.hold_back(context);
      return entry::held_back;
    }
    ++places_;
  }
  member.place_ = group_member::place::running;
  ++running_;
  return entry::start;
}

bool group_state::enter_in_caller(group_member& member) noexcept {
  std::lock_guard const lock(mutex_);
  if (cancelled_ || !has_room()) return false;
  ++places_;
  ++running_;
  member.place_ = group_member::place::running;
  return true;
}

void group_state::end(group_member& member, outcome how, std::exception_ptr const& why) noexcept {
  std::shared_ptr<group_member> next;
  bool is_first_failure = false;
  {
    std::lock_guard const lock(mutex_);
    count(how);
    is_first_failure = note_failure(how, why);
    next = give_place_on(member);
    member.place_ = group_member::place::ended;
  }
  if (next) next->call();
  if (!is_first_failure || !cancel_on_failure_) return;
  try {
    cancel();
  } catch (...) {  // no memory to tell somebody; no member starts any more all the same
    print_error("brigade", "cancelling a task_group failed", std::current_exception());
  }
}

void group_state::refuse(group_member& member, error_code const& why) noexcept {
  if (why == boost::asio::error::operation_aborted) {
    return end(member, outcome::cancelled, aborted());
  }
  if (why == errc::expired) return end(member, outcome::expired, verdict_exception(why));
  std::lock_guard const lock(mutex_);
  ++refused_;
  member.place_ = group_member::place::ended;
}

void group_state::count_refused() noexcept {
  std::lock_guard const lock(mutex_);
  ++submitted_;
  ++refused_;
}

void group_state::leave(group_member& member) noexcept {
  std::shared_ptr<group_member> next;
  watchers told;
  std::exception_ptr result;
  {
    std::lock_guard const lock(mutex_);
    next = give_place_on(member);
    if (member.place_ != group_member::place::ended) --submitted_;  // what made it threw
    member.place_ = group_member::place::left;
    members_.erase(members_.iterator_to(member));
    if (members_.empty() && !watchers_.empty()) {
      told.swap(watchers_);
      result = take_result();
    }
  }
  if (next) next->call();
  for (auto const& [number, watcher] : told) watcher->tell(result);
}

// The youngest first, so that what they leave does not go to others that are about to be ended: a
// slot to one in line, a place to one that is held back.
void group_state::cancel() {
  std::vector<std::shared_ptr<group_member>> all;
  {
    std::lock_guard const lock(mutex_);
    cancelled_ = true;
    all.reserve(members_.size());
    for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
      if (member->place_ != group_member::place::ended) all.push_back(member->keep_member());
    }
  }
  for (auto const& member : all) member->cancel_member();
}

std::uint64_t group_state::next_watcher() noexcept {
  std::lock_guard const lock(mutex_);
  return ++last_watcher_;
}

void group_state::watch(std::uint64_t number, std::unique_ptr<group_watcher> watcher) {
  std::exception_ptr result;
  {
    std::lock_guard const lock(mutex_);
    if (!members_.empty()) {
      watchers_.emplace(number, std::move(watcher));
      return;
    }
    result = take_result();
  }
  watcher->tell(result);
}

void group_state::forget(std::uint64_t number) noexcept {
  watchers::node_type gone;
  {
    std::lock_guard const lock(mutex_);
    gone = watchers_.extract(number);
  }
  if (!gone.empty()) gone.mapped()->tell(aborted());
}

task_group_metrics group_state::metrics() const noexcept {
  std::lock_guard const lock(mutex_);
  task_group_metrics now;
  now.submitted = submitted_;
  now.running = running_;
  now.held_back = held_back_.size();
  now.refused = refused_;
  auto const count_of = [this](outcome how) { return ended_[static_cast<std::size_t>(how)]; };
  now.completed = count_of(outcome::completed);
  now.failed = count_of(outcome::failed);
  now.cancelled = count_of(outcome::cancelled);
  now.expired = count_of(outcome::expired);
  now.shed = count_of(outcome::shed);
  now.jobs =
      submitted_ - refused_ - std::accumulate(ended_.begin(), ended_.end(), std::uint64_t{0});
  return now;
}

// ── under the lock ──

// True for the first.
bool group_state::note_failure(outcome how, std::exception_ptr const& why) noexcept {
  if (how == outcome::completed) return false;
  if (how == outcome::cancelled) {
    ended_early_ = true;
    return false;
  }
  if (failure_) return false;
  failure_ = why;
  if (cancel_on_failure_) cancelled_ = true;
  return true;
}

// The member to call with the place that `member` had, without the lock.
std::shared_ptr<group_member> group_state::give_place_on(group_member& member) noexcept {
  using place = group_member::place;
  if (member.place_ == place::held_back) held_back_.erase(held_back_.iterator_to(member));
  if (member.place_ == place::running) --running_;
  if (member.place_ != place::running && member.place_ != place::called) return nullptr;
  --places_;
  if (held_back_.empty() || !has_room()) return nullptr;
  auto& next = held_back_.front();
  held_back_.pop_front();
  ++places_;
  next.place_ = place::called;
  return next.keep_member();
}

std::exception_ptr group_state::take_result() noexcept {
  auto result = std::exchange(failure_, nullptr);
  if (!result && ended_early_) result = aborted();
  ended_early_ = false;
  cancelled_ = false;
  return result;
}

}  // namespace brigade::detail
