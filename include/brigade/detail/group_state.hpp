// What a task_group, its jobs and those who wait for it share.
//
// Invariants
// 1. A job is a member from before it asks for admission until its handler has been told or handed
//    over, whatever becomes of it: its membership is an object that leaves when it is destroyed.
// 2. Where a member stands in the group is changed under the lock only, and no user code runs under
//    it. A member that has left is never held back: so one that ends early either leaves first, and
//    the worker that comes with it finds it gone; or it is held back first, and is then taken from
//    those that are.
// 3. `places_` of the bound are taken by members that run and by those that have been called. A
//    member is called, first come first served, with the place of one that ended: a newcomer cannot
//    get between, and nobody is held back twice. Who leaves with a place gives it on.
// 4. Once cancel() has the lock no member starts any more: a worker asks here before it starts one.
//
// Locks: the group's, then that of a lane's shelf. Ending a job, and calling one, is done without
// the lock, by members that are kept alive meanwhile.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include <boost/intrusive/list.hpp>

#include <brigade/detail/ledger.hpp>
#include <brigade/error.hpp>
#include <brigade/metrics.hpp>

namespace brigade::detail {

class group_state;
struct job_context;

struct all_members;
struct members_held_back;
template <class Tag>
using group_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                     boost::intrusive::link_mode<boost::intrusive::normal_link>>;

/// A job as its group sees it.
class group_member : public group_hook<all_members>, public group_hook<members_held_back> {
 public:
  /// Null for a job that is of no group.
  [[nodiscard]] group_state* group() const noexcept { return group_.get(); }

 protected:
  explicit group_member(std::shared_ptr<group_state> group) noexcept : group_(std::move(group)) {}
  ~group_member() = default;

 private:
  friend class group_state;
  /// Keeps the object. Called under the group's lock, while the job is a member.
  virtual std::shared_ptr<group_member> keep_member() noexcept = 0;
  /// Ends the job if it has not started, asks it to stop if it runs.
  virtual void cancel_member() = 0;
  /// Holds the job back, with the worker that has come with it. Called under the group's lock.
  virtual void hold_back(job_context& context) noexcept = 0;
  /// Lets a worker come with the job once more.
  virtual void call() noexcept = 0;

  enum class place { outside, queued, held_back, called, running, ended, left };

  std::shared_ptr<group_state> const group_;
  place place_ = place::outside;  // guarded by the group's lock
};

/// Somebody who waits for the group. Told once, or destroyed.
class group_watcher {
 public:
  virtual ~group_watcher() = default;
  /// Posts the completion; never calls it inside.
  virtual void tell(std::exception_ptr const& result) noexcept = 0;
};

class group_state : public std::enable_shared_from_this<group_state> {
 public:
  group_state(std::size_t max_running, bool cancel_on_failure) noexcept
      : max_running_(max_running), cancel_on_failure_(cancel_on_failure) {}

  [[nodiscard]] bool is_bounded() const noexcept { return max_running_ != 0; }

  /// From here on the member is counted, and cancelled with the group.
  void join(group_member& member) noexcept;

  enum class entry { start, held_back, cancelled };
  /// By a worker that has come with the job and has not claimed it: what to do with it.
  entry enter(group_member& member, job_context& context) noexcept;
  /// By a caller that would run the job itself: whether it may.
  bool enter_in_caller(group_member& member) noexcept;

  /// The job has ended, and its handler has not been told. `why` is what that is told.
  void end(group_member& member, outcome how, std::exception_ptr const& why) noexcept;
  /// The job was never admitted.
  void refuse(group_member& member, error_code const& why) noexcept;
  /// One that did not even become a member.
  void count_refused() noexcept;

  /// The last that is heard of the member.
  void leave(group_member& member) noexcept;

  /// Ends all members, and those to come until the group has been waited for.
  void cancel();

  [[nodiscard]] std::uint64_t next_watcher() noexcept;
  /// Tells the watcher once no member is left.
  void watch(std::uint64_t number, std::unique_ptr<group_watcher> watcher);
  /// Tells the watcher `operation_aborted` if it still waits.
  void forget(std::uint64_t number) noexcept;

  [[nodiscard]] task_group_metrics metrics() const noexcept;

 private:
  using watchers = std::map<std::uint64_t, std::unique_ptr<group_watcher>>;

  // Under the lock.
  [[nodiscard]] bool has_room() const noexcept {
    return max_running_ == 0 || places_ < max_running_;
  }
  void count(outcome how) noexcept { ++ended_[static_cast<std::size_t>(how)]; }
  bool note_failure(outcome how, std::exception_ptr const& why) noexcept;
  std::shared_ptr<group_member> give_place_on(group_member& member) noexcept;
  [[nodiscard]] std::exception_ptr take_result() noexcept;

  void finish(group_member& member, outcome how, std::exception_ptr const& why) noexcept;

  std::size_t const max_running_;
  bool const cancel_on_failure_;

  // All guarded by mutex_.
  mutable std::mutex mutex_;
  boost::intrusive::list<group_member, boost::intrusive::base_hook<group_hook<all_members>>>
      members_;
  boost::intrusive::list<group_member, boost::intrusive::base_hook<group_hook<members_held_back>>>
      held_back_;
  std::size_t places_ = 0;
  std::size_t running_ = 0;
  bool cancelled_ = false;
  bool ended_early_ = false;  // a member was cancelled
  std::exception_ptr failure_;
  std::uint64_t submitted_ = 0;
  std::uint64_t refused_ = 0;
  std::array<std::uint64_t, outcome_count> ended_{};
  std::uint64_t last_watcher_ = 0;
  watchers watchers_;
};

/// A job's place in its group; nothing for a job of no group. Leaves when it is destroyed.
class group_membership {
 public:
  group_membership() noexcept = default;
  explicit group_membership(std::shared_ptr<group_member> member) noexcept {
    if (member->group() == nullptr) return;
    member->group()->join(*member);
    member_ = std::move(member);
  }
  group_membership(group_membership&&) noexcept = default;
  group_membership& operator=(group_membership&&) = delete;
  ~group_membership() {
    if (member_) member_->group()->leave(*member_);
  }

  void end(outcome how, std::exception_ptr const& why) noexcept {
    if (member_) member_->group()->end(*member_, how, why);
  }
  void refuse(error_code const& why) noexcept {
    if (member_) member_->group()->refuse(*member_, why);
  }
  /// Whether the job may be run by its caller.
  bool enter_in_caller() noexcept {
    return !member_ || member_->group()->enter_in_caller(*member_);
  }

 private:
  std::shared_ptr<group_member> member_;
};

}  // namespace brigade::detail
