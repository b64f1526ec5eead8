// The pools in this process, behind one face: try_post(job) says whether the job was taken, and
// finish() returns when all that were taken have run.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <brigade/worker_pool.hpp>

#include "clock.hpp"

namespace bench {

struct brigade_pool {
  static constexpr auto name = "brigade";
  brigade_pool(unsigned workers, std::size_t capacity)
      : pool{{.threads = workers, .capacity = capacity}} {}

  template <class Job>
  bool try_post(Job const& job) {
    return !pool.try_post(job);
  }
  void finish() { pool.join(); }
  auto executor() { return pool.get_executor(); }

  brigade::worker_pool pool;
};

/// Unbounded: it takes everything.
struct asio_thread_pool {
  static constexpr auto name = "asio::thread_pool";
  asio_thread_pool(unsigned workers, std::size_t) : pool(workers) {}

  template <class Job>
  bool try_post(Job const& job) {
    boost::asio::post(pool, job);
    return true;
  }
  void finish() { pool.join(); }

  boost::asio::thread_pool pool;
};

/// What one writes to bound an io_context: a counter in front of asio::post.
class counted_context {
 public:
  static constexpr auto name = "io_context + atomic counter";
  counted_context(unsigned workers, std::size_t capacity)
      : capacity_(capacity), context_(static_cast<int>(workers)) {
    for (unsigned i = 0; i != workers; ++i) threads_.emplace_back([this] { context_.run(); });
  }
  ~counted_context() { finish(); }

  template <class Job>
  bool try_post(Job const& job) {
    if (in_flight_.fetch_add(1) >= capacity_) {
      in_flight_.fetch_sub(1);
      return false;
    }
    boost::asio::post(context_, [this, job] {
      in_flight_.fetch_sub(1);
      job();
    });
    return true;
  }
  void finish() {
    work_.reset();
    threads_.clear();
  }
  auto executor() { return context_.get_executor(); }

 private:
  std::size_t capacity_;
  std::atomic<std::size_t> in_flight_{0};
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::vector<std::jthread> threads_;
};

/// Unbounded; its threads are tasks' only, the submitter lends none.
class tbb_arena {
 public:
  static constexpr auto name = "oneTBB task_arena";
  tbb_arena(unsigned workers, std::size_t)
      : threads_(tbb::global_control::max_allowed_parallelism, workers + 1),
        arena_(static_cast<int>(workers), 0) {}
  ~tbb_arena() { finish(); }

  template <class Job>
  bool try_post(Job const& job) {
    posted_.fetch_add(1, std::memory_order_relaxed);
    arena_.enqueue([this, job] {
      job();
      ended_.fetch_add(1, std::memory_order_release);
    });
    return true;
  }
  void finish() {
    spin_until([this] { return ended_.load(std::memory_order_acquire) == posted_; });
  }

 private:
  tbb::global_control threads_;
  tbb::task_arena arena_;
  alignas(64) std::atomic<std::size_t> posted_{0};
  alignas(64) std::atomic<std::size_t> ended_{0};
};

}  // namespace bench
