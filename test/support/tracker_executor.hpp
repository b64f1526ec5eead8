// An executor that remembers what ran on it, so that a test can say where a completion was called.
//
//   test::tracker_executor tracker{pool.get_executor()};
//   {
//     test::initiation const here;
//     pool.async_submit(job, asio::bind_executor(tracker, [&](std::exception_ptr) {
//       on_tracker = tracker.running_here();
//     }));
//   }
//   CHECK(tracker.inline_runs() == 0);
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <type_traits>
#include <utility>

namespace test {

/// Marks that the calling thread is inside an initiating function for as long as it lives. They
/// nest.
class initiation {
 public:
  initiation() { ++depth(); }
  ~initiation() { --depth(); }
  initiation(initiation const&) = delete;
  initiation& operator=(initiation const&) = delete;

  /// Whether the calling thread is inside one: in a handler, this says "called inline".
  [[nodiscard]] static bool is_here() { return depth() != 0; }

 private:
  static int& depth() {
    thread_local int value = 0;
    return value;
  }
};

/// Passes everything on to `inner`. Copies, and what require() and prefer() make of them, share one
/// record. Thread-safe.
class tracker_executor {
 public:
  template <class Executor>
    requires(!std::is_same_v<Executor, tracker_executor>)
  explicit tracker_executor(Executor const& inner)
      : tracker_executor(inner, std::make_shared<record>()) {}

  /// How many functions have been run.
  [[nodiscard]] std::size_t runs() const { return record_->runs.load(); }
  /// How many of them were run inside an initiation of their own thread.
  [[nodiscard]] std::size_t inline_runs() const { return record_->inline_runs.load(); }
  /// The threads on which they ran.
  [[nodiscard]] std::set<std::thread::id> threads() const {
    std::lock_guard const lock{record_->mutex};
    return record_->threads;
  }
  /// Whether the caller is being run by this executor.
  [[nodiscard]] bool running_here() const { return running::current() == record_.get(); }

  // What makes it an Asio executor.
  template <class F>
  void execute(F&& function) const {
    inner_.execute([record = record_, run = std::decay_t<F>(std::forward<F>(function))]() mutable {
      record->count();
      running const here{record.get()};
      std::move(run)();
    });
  }
  template <class Property>
    requires(boost::asio::can_require_v<boost::asio::any_io_executor, Property>)
  tracker_executor require(Property const& property) const {
    return {boost::asio::require(inner_, property), record_};
  }
  template <class Property>
    requires(boost::asio::can_prefer_v<boost::asio::any_io_executor, Property>)
  tracker_executor prefer(Property const& property) const {
    return {boost::asio::prefer(inner_, property), record_};
  }
  template <class Property>
    requires(boost::asio::can_query_v<boost::asio::any_io_executor, Property>)
  decltype(auto) query(Property const& property) const {
    return boost::asio::query(inner_, property);
  }
  friend bool operator==(tracker_executor const& a, tracker_executor const& b) noexcept {
    return a.record_ == b.record_ && a.inner_ == b.inner_;
  }

 private:
  struct record {
    void count() {
      runs.fetch_add(1);
      if (initiation::is_here()) inline_runs.fetch_add(1);
      std::lock_guard const lock{mutex};
      threads.insert(std::this_thread::get_id());
    }

    std::atomic<std::size_t> runs{0};
    std::atomic<std::size_t> inline_runs{0};
    std::mutex mutable mutex;
    std::set<std::thread::id> threads;
  };

  /// Tells for whom the calling thread runs something, as long as it lives.
  class running {
   public:
    explicit running(record const* whom) : outer_(std::exchange(current(), whom)) {}
    ~running() { current() = outer_; }
    running(running const&) = delete;
    running& operator=(running const&) = delete;

    static record const*& current() {
      thread_local record const* value = nullptr;
      return value;
    }

   private:
    record const* outer_;
  };

  tracker_executor(boost::asio::any_io_executor inner, std::shared_ptr<record> shared)
      : inner_(std::move(inner)), record_(std::move(shared)) {}

  boost::asio::any_io_executor inner_;
  std::shared_ptr<record> record_;
};

}  // namespace test
