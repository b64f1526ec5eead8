// SPDX-License-Identifier: BSL-1.0
#include "storms/model.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>

namespace storms {

using brigade::errc;
using brigade::error_code;
using brigade::lane_metrics;
using brigade::overflow;

namespace {

error_code aborted() { return boost::asio::error::operation_aborted; }

}  // namespace

model::model(setup const& s) : setup_(s) {
  for (auto const& one : s.lanes) {
    lanes_.push_back({.capacity = one.capacity, .weight = one.weight, .left = one.weight});
  }
  if (lanes_.empty()) lanes_.push_back({.capacity = s.capacity});
}

id model::next() {
  jobs_.emplace_back();
  return jobs_.size() - 1;
}

// ── admission ──

std::size_t model::in_use() const noexcept {
  std::size_t sum = 0;
  for (auto const& one : lanes_) sum += one.in_use;
  return sum;
}

std::optional<errc> model::refusal(unsigned in, who asks) const {
  if (drained_ || cancelling_ || (closed_ && asks == who::outsider)) return errc::closed;
  bool const is_awaited = std::any_of(line_.begin(), line_.end(),
                                      [&](id one) { return jobs_.at(one).terms.lane == in; });
  auto const& own = lanes_.at(in);
  if (is_awaited || own.in_use == own.capacity || in_use() == setup_.capacity) {
    return errc::queue_full;
  }
  return std::nullopt;
}

error_code model::refuse(errc why) {
  ++(why == errc::closed ? rejected_.closed : rejected_.queue_full);
  return why;
}

void model::enqueue(id job) {
  auto& one = jobs_.at(job);
  auto& in = lanes_.at(one.terms.lane);
  one.at = place::queued;
  one.position = ++last_position_;
  in.queue.push_back(job);
  ++in.in_use;
  ++in.counts.admitted;
}

// The oldest that a worker has come with already and that has not started.
std::optional<id> model::oldest_on_shelf(unsigned in, bool called_only) const {
  std::optional<id> oldest;
  for (auto const job : members_) {
    auto const& one = jobs_.at(job);
    bool const there = one.at == place::called || (!called_only && one.at == place::held_back);
    if (!there || one.terms.lane != in) continue;
    if (!oldest || one.position < jobs_.at(*oldest).position) oldest = job;
  }
  return oldest;
}

bool model::drop_oldest(unsigned in) {
  auto dropped = oldest_on_shelf(in, false);
  auto const& queue = lanes_.at(in).queue;
  if (!dropped && !queue.empty()) dropped = queue.front();
  if (!dropped) return false;
  end_in_queue(*dropped, &lane_metrics::shed, errc::shed);
  return true;
}

// ── commands ──

error_code model::post(id job, job_terms terms) {
  auto const verdict = post(job, terms, who::outsider);
  settle();
  return verdict;
}

error_code model::post(id job, job_terms const& terms, who asks) {
  auto& one = jobs_.at(job);
  one.terms = terms;
  one.terms.in_group = false;
  one.told = error_code{};
  auto const why = refusal(terms.lane, asks);
  if (why && *why == errc::queue_full && terms.when_full == overflow::caller_runs) {
    one.at = place::over;
    if (terms.start_by == due::past) {
      ++rejected_.expired;
      return *(one.told = errc::expired);
    }
    ++caller_ran_;
    run_body(job, who::outsider);
    return {};
  }
  bool const makes_room =
      why && *why == errc::queue_full && terms.when_full == overflow::drop_oldest;
  if (why && !(makes_room && drop_oldest(terms.lane))) {
    one.at = place::over;
    return *(one.told = refuse(*why));
  }
  enqueue(job);
  return {};
}

std::size_t model::bulk(std::vector<id> const& jobs) {
  std::size_t admitted = 0;
  for (auto const job : jobs) jobs_.at(job).told = error_code{};
  for (auto const job : jobs) {
    auto const why = refusal(0, who::outsider);
    if (why) {
      refuse(*why);
      break;
    }
    enqueue(job);
    ++admitted;
  }
  for (auto rest = admitted; rest != jobs.size(); ++rest) jobs_.at(jobs[rest]).at = place::over;
  return admitted;
}

error_code model::post_for(id job, unsigned in, bool at_once) {
  auto& one = jobs_.at(job);
  one.terms.lane = in;
  one.told = error_code{};
  auto const why = refusal(in, who::outsider);
  if (!why) return enqueue(job), error_code{};
  one.at = place::over;
  if (*why == errc::queue_full && !at_once && line_.size() < setup_.max_waiting) {
    ++rejected_.expired;
    return *(one.told = errc::expired);
  }
  return *(one.told = refuse(*why));
}

error_code model::reserve(id permit, unsigned in) {
  auto& one = jobs_.at(permit);
  one.is_reservation = true;
  one.terms.lane = in;
  one.at = place::over;
  auto const why = refusal(in, who::outsider);
  if (why) return *(one.told = refuse(*why));
  ++lanes_.at(in).in_use;
  permits_.push_back(permit);
  return *(one.told = error_code{});
}

void model::async_reserve(id permit, job_terms const& terms) {
  auto& one = jobs_.at(permit);
  one.has_handler = true;
  one.terms = terms;
  one.terms.in_group = false;
  one.is_reservation = true;
  auto const why = refusal(terms.lane, who::outsider);
  if (why && *why == errc::queue_full && line_.size() < setup_.max_waiting) {
    one.at = place::in_line;
    line_.push_back(permit);
    if (terms.start_by == due::past) leave_line(permit, errc::expired);
  } else {
    reserve(permit, terms.lane);
  }
  settle();
}

void model::submit(id job, job_terms terms) {
  auto& one = jobs_.at(job);
  one.terms = terms;
  one.has_handler = true;
  if (terms.in_group) ++group_.submitted;
  auto why = refusal(terms.lane, who::outsider);
  auto const refused = [&](errc reason) {
    one.at = place::over;
    one.told = refuse(reason);
    if (terms.in_group) ++group_.refused;
  };
  if (why && (*why == errc::closed || terms.when_full == overflow::reject)) return refused(*why);
  if (why && terms.when_full == overflow::wait && line_.size() == setup_.max_waiting) {
    return refused(*why);
  }
  if (terms.in_group) members_.push_back(job);
  if (why && terms.when_full == overflow::wait) {
    one.at = place::in_line;
    line_.push_back(job);
    if (terms.start_by == due::past) leave_line(job, errc::expired);
    if (terms.in_group && group_cancelled_) leave_line(job, aborted());
    return settle();
  }
  if (why && terms.when_full == overflow::caller_runs) {
    bool const is_late = terms.start_by == due::past;
    if (is_late || (terms.in_group && group_cancelled_)) {
      line_.push_back(job);  // as one that stood there for no time
      leave_line(job, is_late ? error_code{errc::expired} : aborted());
    } else if (terms.in_group && setup_.group_bound != 0 && places_ == setup_.group_bound) {
      members_.pop_back();
      refused(*why);
    } else {
      ++caller_ran_;
      if (terms.in_group) ++places_, ++group_.running;
      one.at = place::running;
      run_body(job, who::outsider);
      bool const failed = terms.kind == job_kind::throwing;
      one.told = failed ? error_code{errc::job_failed} : error_code{};
      count_in_group(job, failed ? &lane_metrics::failed : &lane_metrics::completed, *one.told);
      one.at = place::over;
      leave_group(job);
    }
    return settle();
  }
  if (why && !drop_oldest(terms.lane)) {
    if (terms.in_group) members_.pop_back();
    return refused(*why);
  }
  enqueue(job);
  if (terms.in_group && group_cancelled_) end_in_queue(job, &lane_metrics::cancelled, aborted());
  settle();
}

error_code model::spend_post(id permit, id job, job_terms terms) {
  terms.lane = jobs_.at(permit).terms.lane;
  permits_.erase(std::find(permits_.begin(), permits_.end(), permit));
  auto& one = jobs_.at(job);
  one.terms = terms;
  one.terms.in_group = false;
  one.told = error_code{};
  if (cancelling_) {
    one.at = place::over;
    return *(one.told = refuse(errc::closed));
  }
  enqueue(job);
  free_slot(terms.lane);
  settle();
  return {};
}

void model::spend_submit(id permit, id job, job_terms terms) {
  terms.in_group = false;
  auto const verdict = spend_post(permit, job, terms);
  auto& one = jobs_.at(job);
  one.has_handler = true;
  // What spend_post() has settled already: the deadline.
  if (one.at != place::over) one.told.reset();
  if (one.at == place::over && !verdict) one.told = errc::expired;
}

void model::release(id permit) {
  permits_.erase(std::find(permits_.begin(), permits_.end(), permit));
  if (!cancelling_) free_slot(jobs_.at(permit).terms.lane);
  settle();
}

// ── running ──

bool model::take() {
  for (int lap = 0; lap != 2; ++lap) {
    for (unsigned in = 0; in != lanes(); ++in) {
      auto& from = lanes_[in];
      if (lanes() != 1 && from.left == 0) continue;
      if (!take_from(from, in)) continue;
      if (lanes() != 1) --from.left;
      settle();
      return true;
    }
    for (auto& one : lanes_) one.left = one.weight;
  }
  return false;
}

bool model::take_from(lane& from, unsigned number) {
  auto job = oldest_on_shelf(number, true);
  if (!job) {
    if (from.queue.empty()) return false;
    job = from.queue.front();
    from.queue.pop_front();
    if (is_member(*job) && setup_.group_bound != 0 && places_ == setup_.group_bound) {
      jobs_.at(*job).at = place::held_back;
      held_back_.push_back(*job);
      return true;
    }
    if (is_member(*job)) ++places_;
  }
  start(*job);
  return true;
}

void model::start(id job) {
  auto& one = jobs_.at(job);
  one.at = place::running;
  if (is_member(job)) ++group_.running;
  if (is_coroutine(one.terms.kind)) {
    ++one.ran;
    return;
  }
  run_body(job, who::running_job);
  bool const failed = one.terms.kind == job_kind::throwing;
  end(job, failed ? &lane_metrics::failed : &lane_metrics::completed,
      failed ? error_code{errc::job_failed} : error_code{});
}

void model::run_body(id job, who asks) {
  auto& one = jobs_.at(job);
  ++one.ran;
  run_order.push_back(job);
  if (one.terms.kind == job_kind::throwing && !one.has_handler) ++job_errors;
  if (one.terms.kind == job_kind::spawning) post(*one.child, {}, asks);
  if (one.terms.kind == job_kind::stopping) stop();
}

void model::end(id job, lane_count count, error_code const& told) {
  auto& one = jobs_.at(job);
  auto& in = lanes_.at(one.terms.lane);
  ++(in.counts.*count);
  --in.in_use;
  if (one.has_handler) one.told = told;
  count_in_group(job, count, told);
  one.at = place::over;
  leave_group(job);
}

void model::end_in_queue(id job, lane_count count, error_code const& told) {
  auto& queue = lanes_.at(jobs_.at(job).terms.lane).queue;
  queue.erase(std::remove(queue.begin(), queue.end(), job), queue.end());
  end(job, count, told);
}

void model::resume(id job) {
  end(job, &lane_metrics::completed, {});
  settle();
}

void model::interrupt(id job) {
  if (jobs_.at(job).terms.kind == job_kind::stoic) {
    end(job, &lane_metrics::completed, {});
  } else {
    end(job, &lane_metrics::failed, aborted());
  }
}

// ── those who wait ──

void model::leave_line(id job, error_code const& why) {
  line_.erase(std::find(line_.begin(), line_.end(), job));
  auto& one = jobs_.at(job);
  one.told = why;
  if (why == errc::closed) {
    refuse(errc::closed);
    if (one.terms.in_group) ++group_.refused;
  } else if (why == errc::expired) {
    ++rejected_.expired;
    count_in_group(job, &lane_metrics::expired, why);
  } else {
    ++rejected_.cancelled;
    count_in_group(job, &lane_metrics::cancelled, why);
  }
  one.at = place::over;
  leave_group(job);
}

void model::serve() {
  auto const in_order = line_;
  for (auto const job : in_order) {
    if (in_use() == setup_.capacity) return;
    auto& one = jobs_.at(job);
    auto& in = lanes_.at(one.terms.lane);
    if (in.in_use == in.capacity) continue;
    line_.erase(std::find(line_.begin(), line_.end(), job));
    if (one.is_reservation) {
      one.at = place::over;
      one.told = error_code{};
      ++in.in_use;
      permits_.push_back(job);
    } else {
      enqueue(job);
    }
  }
}

void model::end_line() {
  while (!line_.empty()) leave_line(line_.front(), errc::closed);
}

// What becomes of the state without anybody's doing.
void model::settle() {
  for (auto& one : lanes_) {
    auto const queue = one.queue;
    for (auto const job : queue) {
      if (jobs_.at(job).terms.start_by == due::past) {
        end_in_queue(job, &lane_metrics::expired, errc::expired);
      }
    }
  }
  serve();
  drained_ = closed_ && in_use() == 0;
}

// ── ending ──

void model::cancel(id job) {
  switch (jobs_.at(job).at) {
    case place::in_line: leave_line(job, aborted()); break;
    case place::queued:
    case place::held_back:
    case place::called: end_in_queue(job, &lane_metrics::cancelled, aborted()); break;
    case place::running: interrupt(job); break;
    case place::nowhere:
    case place::over: break;
  }
  settle();
}

void model::close() {
  closed_ = true;
  end_line();
  settle();
}

void model::shutdown(bool lame_duck) {
  bool const is_first = shutdowns++ == 0;
  if (!is_first || closed_) return;
  if (lame_duck) {
    announced_ = true;
  } else {
    close();
  }
}

void model::stop() {
  closed_ = true;
  end_line();
  if (!std::exchange(cancelling_, true)) {
    for (auto const permit : permits_) free_slot(jobs_.at(permit).terms.lane);
  }
  for (unsigned in = 0; in != lanes(); ++in) {
    while (auto const held = oldest_on_shelf(in, false)) {
      end_in_queue(*held, &lane_metrics::cancelled, aborted());
    }
    while (!lanes_[in].queue.empty()) {
      end_in_queue(lanes_[in].queue.front(), &lane_metrics::cancelled, aborted());
    }
  }
  for (auto const job : suspended()) interrupt(job);
  settle();
}

brigade::pool_state model::state() const noexcept {
  using brigade::pool_state;
  if (drained_) return pool_state::stopped;
  if (cancelling_) return pool_state::cancelling;
  if (closed_) return pool_state::draining;
  return announced_ ? pool_state::lame_duck : pool_state::running;
}

// ── the group ──

bool model::is_member(id job) const {
  return std::find(members_.begin(), members_.end(), job) != members_.end();
}

bool model::group_in_line() const {
  return std::any_of(line_.begin(), line_.end(), [this](id one) { return is_member(one); });
}

bool model::group_runs() const {
  return std::any_of(members_.begin(), members_.end(),
                     [this](id one) { return jobs_.at(one).at == place::running; });
}

void model::count_in_group(id job, lane_count count, error_code const& why) {
  if (!is_member(job)) return;
  if (count == &lane_metrics::completed) ++group_.completed;
  if (count == &lane_metrics::failed) ++group_.failed;
  if (count == &lane_metrics::cancelled) ++group_.cancelled;
  if (count == &lane_metrics::expired) ++group_.expired;
  if (count == &lane_metrics::shed) ++group_.shed;
  if (count == &lane_metrics::cancelled) {
    ended_early_ = true;
  } else if (count != &lane_metrics::completed && !failure_) {
    failure_ = why;
  }
  give_place_on(job);
}

// The place of one that has started, or was going to, is the next one's.
void model::give_place_on(id job) {
  auto const at = jobs_.at(job).at;
  if (at == place::held_back) {
    held_back_.erase(std::find(held_back_.begin(), held_back_.end(), job));
  }
  if (at == place::running) --group_.running;
  if (at != place::running && at != place::called) return;
  --places_;
  if (held_back_.empty()) return;
  jobs_.at(held_back_.front()).at = place::called;
  held_back_.pop_front();
  ++places_;
}

void model::leave_group(id job) {
  auto const member = std::find(members_.begin(), members_.end(), job);
  if (member == members_.end()) return;
  members_.erase(member);
  if (members_.empty() && watchers_ != 0) tell_group();
}

void model::tell_group() {
  auto const result = failure_ ? *failure_ : ended_early_ ? aborted() : error_code{};
  group_waits.insert(group_waits.end(), std::exchange(watchers_, 0), result);
  failure_.reset();
  ended_early_ = false;
  group_cancelled_ = false;
}

void model::wait_group() {
  ++watchers_;
  if (members_.empty()) tell_group();
}

void model::cancel_group() {
  group_cancelled_ = true;
  auto const all = members_;
  for (auto job = all.rbegin(); job != all.rend(); ++job) {
    if (is_member(*job)) cancel(*job);
  }
  settle();
}

// ── what can be seen ──

bool model::holds(id permit) const {
  return std::find(permits_.begin(), permits_.end(), permit) != permits_.end();
}

std::vector<id> model::suspended() const {
  std::vector<id> all;
  for (id job = 0; job != jobs_.size(); ++job) {
    auto const& one = jobs_[job];
    if (one.at == place::running && is_coroutine(one.terms.kind)) all.push_back(job);
  }
  return all;
}

brigade::pool_metrics model::metrics() const {
  brigade::pool_metrics now;
  for (auto const& one : lanes_) now.lanes.push_back(one.counts);
  for (auto const& one : jobs_) {
    auto& in = now.lanes.at(one.terms.lane);
    if (one.at == place::running) ++in.running_jobs;
    if (one.at == place::queued || one.at == place::held_back || one.at == place::called) {
      ++in.queued_jobs;
    }
  }
  for (auto const& one : now.lanes) {
    now.queued_jobs += one.queued_jobs;
    now.running_jobs += one.running_jobs;
    now.admitted += one.admitted;
    now.completed += one.completed;
    now.failed += one.failed;
    now.cancelled += one.cancelled;
    now.expired += one.expired;
    now.shed += one.shed;
  }
  now.waiting = line_.size();
  now.permits = in_use() - now.queued_jobs - now.running_jobs;
  now.rejected = rejected_;
  now.caller_ran = caller_ran_;
  now.state = state();
  return now;
}

brigade::task_group_metrics model::group() const {
  auto now = group_;
  now.held_back = held_back_.size();
  now.jobs = members_.size();
  return now;
}

}  // namespace storms
