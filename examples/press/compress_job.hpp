// press: the job that a request becomes on the pool, and what comes back from it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <exception>
#include <stop_token>
#include <string>
#include <utility>

#include "compress.hpp"

namespace press {

struct compressed {
  std::string frame;
  std::chrono::nanoseconds queued{0};  ///< from submission to start
  std::chrono::nanoseconds ran{0};
};

struct job_outcome {
  std::exception_ptr failure;
  compressed result;
};

/// The job. It takes a stop token of its own rather than the pool's: the pool's is also set by
/// `worker_pool::stop()`, and a second signal is to spare what runs already.
inline auto make_compress_job(std::string body, int level, std::stop_token abandon) {
  using clock = std::chrono::steady_clock;
  return [body = std::move(body), level, abandon = std::move(abandon), submitted = clock::now()] {
    auto const started = clock::now();
    compressed result;
    result.frame = compress(body, level, abandon);
    result.queued = started - submitted;
    result.ran = clock::now() - started;
    return result;
  };
}

}  // namespace press
