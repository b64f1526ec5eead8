// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <thread>

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

/// Submits again and again, backing off as a caller should whom a full pool refuses: long enough for
/// a good part of the queue to be worked off, for each look takes cache lines away from the workers.
/// 256 pauses are some 5 us; then the processor, in case the workers need it.
template <class Submission>
void retry_until_taken(Submission submission) {
  for (bool yield = false; !submission(); yield = !yield) {
    if (yield) {
      std::this_thread::yield();
    } else {
      for (unsigned i = 0; i != 256; ++i) brigade::detail::pause();
    }
  }
}

/// Keeps a core busy for so long.
inline void burn(std::chrono::nanoseconds time) {
  for (auto const end = clock::now() + time; clock::now() < end;) {
  }
}

}  // namespace bench
