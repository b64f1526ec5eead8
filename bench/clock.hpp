// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

#include <brigade/detail/relax.hpp>

namespace bench {

using clock = std::chrono::steady_clock;

inline double nanoseconds_since(clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(clock::now() - begin).count();
}

/// Asks again and again, with the same pauses for every contestant.
template <class Condition>
void spin_until(Condition condition) {
  for (unsigned round = 1; !condition(); ++round) brigade::detail::relax(round);
}

/// Submits again and again, backing off as a caller should whom a full pool refuses.
template <class Submission>
void retry_until_taken(Submission submission) {
  for (unsigned wait = 0; !submission(); ++wait) brigade::detail::stand_back(wait);
}

/// Keeps a core busy for so long.
inline void burn(std::chrono::nanoseconds time) {
  for (auto const end = clock::now() + time; clock::now() < end;) {
  }
}

}  // namespace bench
