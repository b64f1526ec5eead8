// press: what the HTTP side counts.
//
// Thread safety: everything from any thread.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace press {

struct traffic {
  using count = std::atomic<std::uint64_t>;

  std::array<count, 600> answers{};  ///< by status
  count body_bytes_received{0};      ///< of bodies that were compressed or refused when complete
  count body_bytes_sent{0};          ///< of answers that went out whole
  std::atomic<std::int64_t> connections{0};
  count accept_errors{0};

  /// One answer has been decided on.
  void count_answer(unsigned status) noexcept {
    if (status < answers.size()) answers[status].fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t answered(unsigned status) const noexcept {
    return answers[status].load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t answered() const noexcept {
    std::uint64_t sum = 0;
    for (auto const& status : answers) sum += status.load(std::memory_order_relaxed);
    return sum;
  }
};

}  // namespace press
