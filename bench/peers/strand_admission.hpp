// Admission by hopping through a strand: the count needs no atomic, and there is no verdict at
// once. A job that finds the pool full waits in the strand's line.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

namespace bench {

class strand_admission {
 public:
  static constexpr auto name = "hop through a strand";
  strand_admission(unsigned workers, std::size_t capacity)
      : capacity_(capacity), context_(static_cast<int>(workers)) {
    for (unsigned i = 0; i != workers; ++i) threads_.emplace_back([this] { context_.run(); });
  }
  ~strand_admission() { finish(); }

  template <class Job>
  bool try_post(Job const& job) {
    boost::asio::post(strand_, [this, job] {
      if (in_flight_ == capacity_) {
        line_.emplace_back(job);
      } else {
        ++in_flight_;
        start(job);
      }
    });
    return true;
  }
  void finish() {
    work_.reset();
    threads_.clear();
  }

 private:
  template <class Job>
  void start(Job job) {
    boost::asio::post(context_, [this, job = std::move(job)] {
      job();
      boost::asio::post(strand_, [this] { ended(); });
    });
  }
  void ended() {
    if (line_.empty()) {
      --in_flight_;
    } else {
      start(std::move(line_.front()));
      line_.pop_front();
    }
  }

  std::size_t capacity_;
  std::size_t in_flight_ = 0;
  std::deque<std::function<void()>> line_;
  boost::asio::io_context context_;
  boost::asio::strand<boost::asio::io_context::executor_type> strand_{context_.get_executor()};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::vector<std::jthread> threads_;
};

}  // namespace bench
