// SPDX-License-Identifier: BSL-1.0
#include <brigade/running_job.hpp>

namespace brigade {

namespace {

std::string text_of(running_job const& job) {
  bool const named = !job.name.empty();
  switch (job.what) {
    case running_job::kind::job: return named ? fmt::format("'{}'", job.name) : "a job";
    case running_job::kind::handler:
      return named ? fmt::format("the handler of '{}'", job.name) : "a handler";
    case running_job::kind::coroutine:
      return named ? fmt::format("coroutine '{}'", job.name) : "a coroutine";
  }
  return "something";
}

}  // namespace

std::string to_string(running_job const& job) {
  auto const seconds = std::chrono::duration<double>(job.age).count();
  auto const where = job.thread != 0 ? fmt::format(" on thread {}", job.thread) : std::string{};
  return fmt::format("{}{} for {:.3f} s", text_of(job), where, seconds);
}

}  // namespace brigade
