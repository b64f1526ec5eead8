// 3. Backpressure: a full pool says no, and what to do then.
//
// The capacity bounds the jobs in flight: queued, running and suspended together. The one beyond it
// is refused at once, however busy the workers are.
// SPDX-License-Identifier: BSL-1.0
#include <brigade/brigade.hpp>

#include <fmt/core.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <latch>
#include <memory>
#include <string>
#include <utility>

namespace asio = boost::asio;

// A job that owns something, to show what becomes of it when it is refused.
struct letter {
  std::unique_ptr<std::string> text;
  void operator()() const { fmt::print("delivered: {}\n", *text); }
};

// Sends `total` items through the pool, never more than a few at a time: whenever one is done, its
// handler submits the next. The slot is free before the handler runs, so that the next is admitted
// and nobody has to poll.
class feeder {
 public:
  feeder(brigade::worker_pool& pool, int total) : pool_(pool), total_(total), all_done_(total) {}

  void run(int at_once) {
    for (int i = 0; i != at_once; ++i) submit_next();
    all_done_.wait();
  }
  [[nodiscard]] int refused() const { return refused_; }

 private:
  void submit_next() {
    int const item = next_++;
    if (item >= total_) return;
    pool_.async_submit([item] { return item * item; },
                       [this](std::exception_ptr failure, int) {
                         if (failure) ++refused_;
                         submit_next();
                         all_done_.count_down();
                       });
  }

  brigade::worker_pool& pool_;
  int const total_;
  std::atomic<int> next_ = 0;
  std::atomic<int> refused_ = 0;
  std::latch all_done_;
};

int main() {
  std::latch gate{1};
  brigade::worker_pool pool{{.threads = 1, .capacity = 2, .name = "full"}};

  // Two jobs that wait for the gate fill the pool: one runs, one is queued.
  auto const wait_at_gate = [&gate] { gate.wait(); };
  auto first = pool.async_submit(wait_at_gate, asio::use_future);
  auto second = pool.async_submit(wait_at_gate, asio::use_future);

  // Deny: the verdict comes at once, to be passed on to whoever asked. A refused callable has not
  // been moved from, so it can still be given to somebody else, or to the same pool later.
  letter job{std::make_unique<std::string>("dear reader")};
  auto const verdict = pool.try_post(std::move(job));
  fmt::print("queue full: {}, the letter is still here: {}\n", verdict == brigade::errc::queue_full,
             job.text != nullptr);

  // Retry: when something has ended, not after a pause of a guessed length.
  gate.count_down();
  first.get();
  auto const second_verdict = pool.try_post(std::move(job));
  second.get();
  pool.async_submit([] {}, asio::use_future).get();  // one worker, in order: after the letter
  fmt::print("admitted after one had ended: {}\n", !second_verdict);

  // Pace: what is to be done in order to never be refused.
  feeder feed{pool, 10};
  feed.run(2);
  pool.join();
  fmt::print("10 items went through 2 slots, {} were refused\n", feed.refused());
}

// Output:
//   queue full: true, the letter is still here: true
//   delivered: dear reader
//   admitted after one had ended: true
//   10 items went through 2 slots, 0 were refused
