// Many threads that execute programs on one pool at the same time, and keep a record of each job by
// its number. Nobody can say what will become of one; but of what did become of all, something has
// to hold for each, and the pool's ledger has to be their sum.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "storms/program.hpp"

namespace storms {

namespace asio = boost::asio;

class crowd {
 public:
  /// For these programs, a thread each.
  crowd(brigade::worker_pool& pool, std::size_t group_bound, std::vector<program> const& programs);
  crowd(crowd const&) = delete;
  crowd& operator=(crowd const&) = delete;
  ~crowd();

  /// Executes the programs and waits until every handler has been told. With `end_pool` the pool is
  /// closed and joined then. Gives what is wrong; empty where nothing is.
  [[nodiscard]] std::string storm(bool end_pool);

  [[nodiscard]] std::size_t jobs() const noexcept { return used_.load(); }

 private:
  enum class way { unused, post, bulk, submit, reservation };
  struct record {
    way came_by = way::unused;
    job_kind kind = job_kind::plain;
    bool refused_in_bulk = false;
    brigade::error_code why{};  // what its caller or its handler was told; before `told`
    std::atomic<int> told{0};
    std::atomic<int> ran{0};
    asio::cancellation_signal signal{};
  };
  /// A thread's own.
  struct place {
    std::vector<std::size_t> cancellable{};
  };

  void execute(program const& commands);
  void perform(command const& c, place& own);
  std::size_t new_record(way came_by, job_terms const& terms);
  void run_body(std::size_t job);
  auto body_of(std::size_t job) {
    return [this, job] { run_body(job); };
  }
  void tell(std::size_t job, brigade::error_code const& why);
  void post(command const& c, bool by_permit);
  void submit(command const& c, bool by_permit, place& own);
  void bulk(std::size_t count);
  void async_reserve(command const& c, place& own);
  template <class Target>
  void submit_to(Target& target, std::size_t job, job_terms const& terms);
  template <class Target, class Job>
  void submit_job(Target& target, std::size_t number, job_terms const& terms, Job job);
  [[nodiscard]] brigade::permit take_permit();
  void give_permits_back();
  [[nodiscard]] bool all_told() const;
  [[nodiscard]] std::string wrong_with(std::size_t job) const;
  [[nodiscard]] std::string wrong_sums(brigade::pool_metrics const& before,
                                       brigade::pool_metrics const& after) const;

  brigade::worker_pool& pool_;
  std::vector<program> const& programs_;
  brigade::task_group group_;
  std::vector<record> records_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> short_bulks_{0};
  std::atomic<std::size_t> waits_{0};  // for the group, for a drain, for a shutdown
  std::atomic<std::size_t> waits_told_{0};
  std::atomic<std::size_t> unbalanced_{0};
  std::mutex permits_mutex_;
  std::vector<brigade::permit> permits_;
  asio::io_context elsewhere_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread teller_;
};

/// A pool as the setup says, with threads of its own.
std::unique_ptr<brigade::worker_pool> make_pool(setup const& s);

}  // namespace storms
