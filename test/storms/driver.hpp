// Does to a pool what a program says, and to the model, and compares the two after each command.
//
// The pool works on an io_context that nobody runs but the driver, one handler at a time and one
// job a turn. After each handler the library's control thread is let come to rest. So there is
// nothing that happens by chance, and a program that fails fails again.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio.hpp>
#include <brigade/brigade.hpp>

#include "storms/model.hpp"
#include "storms/program.hpp"

namespace storms {

namespace asio = boost::asio;

class driver {
 public:
  explicit driver(setup const& s);
  driver(driver const&) = delete;
  driver& operator=(driver const&) = delete;
  ~driver();

  /// Executes the command. Gives what was expected and not seen; empty where all is as it should
  /// be.
  [[nodiscard]] std::string execute(command const& c);

  /// Ends whatever has not ended, and looks at all of it once more.
  [[nodiscard]] std::string finish();

 private:
  /// What was seen of a job or a reservation.
  struct sight {
    int ran = 0;
    int told = 0;
    brigade::error_code why{};
    int value = 0;
    asio::cancellation_signal signal{};
  };

  void perform(command const& c);
  void post(command const& c, bool by_permit);
  void submit(command const& c, bool by_permit);
  void bulk(std::size_t count);
  void post_for(command const& c);
  void reserve(command const& c);
  void async_reserve(command const& c);
  void release(command const& c);
  void release_all();
  void run(std::size_t count);
  void run_all();
  void resume(command const& c);
  void cancel(command const& c);
  void cancel_group();
  void wait_group();
  void drain();
  void shutdown(bool lame_duck);

  id new_job(job_terms const& terms);
  job_terms fitted(job_terms terms) const;
  id chosen_permit(command const& c) const;
  brigade::submit_options options_of(job_terms const& terms) const;
  void tell(id job, brigade::error_code const& why, int value = 0);
  void run_body(id job);
  asio::awaitable<int> suspend(id job);
  template <class Target>
  void submit_to(Target& target, id job, job_terms const& terms);
  template <class Target, class Job>
  void submit_job(Target& target, id number, job_terms const& terms, Job job);

  bool step();
  void let_control_rest();
  void expect(bool what, std::string const& text);
  [[nodiscard]] std::string difference() const;
  [[nodiscard]] std::string difference_of(id job) const;

  model model_;
  bool is_over_ = false;
  std::deque<sight> seen_{};  // outlives the pool: it has the signals
  std::vector<id> run_order_{};
  std::size_t job_errors_ = 0;
  std::size_t drains_ = 0;
  std::vector<brigade::shutdown_report> reports_{};
  std::vector<brigade::error_code> group_waits_{};
  std::string wrong_{};
  std::map<id, asio::steady_timer*> suspended_{};
  asio::io_context elsewhere_{1};  // outlives what goes with the host, and holds work on it
  asio::io_context host_{1};
  std::map<id, brigade::permit> permits_{};
  brigade::worker_pool pool_;
  brigade::task_group group_;
};

}  // namespace storms
