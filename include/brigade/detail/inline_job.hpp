// A move-only callable of any type, kept in 48 bytes and an operations pointer.
//
// What a job does when it runs, and whom it tells how it ended, is the business of the type that
// is stored; this file only carries it from the submitter to the worker.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include <brigade/detail/atomic.hpp>

namespace brigade::detail {

struct job_context;  // the worker's turn, as a running job sees it
struct job_ending;   // how and why a job ends that does not run

inline constexpr std::size_t inline_job_size = 48;
inline constexpr std::size_t inline_job_align = 16;

/// A type that can travel through a queue cell without heap memory.
template <class Job>
concept fits_inline = sizeof(Job) <= inline_job_size && alignof(Job) <= inline_job_align &&
                      std::is_nothrow_move_constructible_v<Job>;

/// What the queue can do with a stored job. Each ends with the storage empty.
struct job_operations {
  /// Runs the job, accounts for it and tells of it. Throws only what a completion handler threw.
  void (*run)(void* storage, job_context& context);
  /// Ends the job without running it. False: there is none any more, only what was left of it.
  bool (*discard)(void* storage, job_ending const& ending);
  /// Moves the job. Null: its bytes may be copied.
  void (*relocate)(void* from, void* to) noexcept;
};

/// The operations of a `Job` with static members `run(void*, job_context&)` and
/// `discard(void*, job_ending const&)`, each of which leaves the storage destroyed.
template <fits_inline Job>
struct stored_job {
  static void relocate(void* from, void* to) noexcept {
    auto* const old = std::launder(static_cast<Job*>(from));
    ::new (to) Job(std::move(*old));
    old->~Job();
  }

  static constexpr job_operations operations{
      &Job::run, &Job::discard, std::is_trivially_copyable_v<Job> ? nullptr : &relocate};
};

/// A job on its way: storage, the operations that know what is in it, and two words for the queue
/// that carries it, so that a queue cell is exactly one cache line.
class alignas(inline_job_align) inline_job {
 public:
  atomic<std::uint32_t> mark{0};   ///< The queue's: whose turn it is to touch the cell.
  atomic<std::uint32_t> stamp{0};  ///< The queue's: milliseconds at admission, modulo 2^32.

  inline_job() noexcept = default;
  inline_job(inline_job const&) = delete;
  inline_job& operator=(inline_job const&) = delete;

  template <class Job, class... Args>
  void emplace(Args&&... args) noexcept(std::is_nothrow_constructible_v<Job, Args...>) {
    ::new (static_cast<void*>(storage_)) Job(std::forward<Args>(args)...);
    operations_ = &stored_job<Job>::operations;
  }

  /// Takes over what `other` holds. This must be empty.
  void take_from(inline_job& other) noexcept {
    operations_ = other.operations_;
    stamp.store(other.stamp.load(std::memory_order_relaxed), std::memory_order_relaxed);
    if (operations_->relocate == nullptr) [[likely]] {
      std::memcpy(storage_, other.storage_, inline_job_size);
    } else {
      operations_->relocate(other.storage_, storage_);
    }
  }

  void run(job_context& context) { operations_->run(storage_, context); }
  bool discard(job_ending const& ending) { return operations_->discard(storage_, ending); }

 private:
  job_operations const* operations_ = nullptr;
  alignas(inline_job_align) std::byte storage_[inline_job_size];
};

static_assert(sizeof(inline_job) == 64 || sizeof(void*) != 8);

}  // namespace brigade::detail
