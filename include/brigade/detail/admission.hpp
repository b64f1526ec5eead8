// The admission word: how many jobs were ever admitted, and whether more may be, in one atomic.
//
// Layout of the 64 bits: the state bits below, then the position of the next job. The position
// counts admitted jobs from the first, so "admit" is adding one position, "close" is setting a bit,
// and one compare-exchange decides between the two.
//
// Pure: no thread, no clock, no memory; the atomic itself is in admission_gate.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace brigade::detail {

using admission_word = std::uint64_t;

/// The state bits. The first three are only ever set.
inline constexpr admission_word closed_bit = 1;      ///< Only running jobs may submit.
inline constexpr admission_word cancelling_bit = 2;  ///< Nobody may submit; queued jobs are ended.
inline constexpr admission_word drained_bit = 4;     ///< Closed, and nothing is in flight.
inline constexpr admission_word spilling_bit = 8;    ///< Jobs go to the overflow store.
inline constexpr admission_word waiting_bit = 16;    ///< Slots that come free belong to a line.

inline constexpr unsigned position_shift = 8;
inline constexpr admission_word one_position = admission_word{1} << position_shift;

/// What admission answers.
enum class verdict { admitted, queue_full, closed };

/// Who asks.
enum class submitter {
  outsider,     ///< Refused once the pool is closed.
  running_job,  ///< Refused once the pool cancels or has drained.
  waiting,      ///< First in line, and came as an outsider: not behind others that wait.
  waiting_job,  ///< The same, and came as a running job.
  slot_holder,  ///< Has a slot, which it gives back in exchange: not bound by room either.
};

constexpr std::uint64_t position_of(admission_word word) noexcept { return word >> position_shift; }

/// The state bits that refuse `who`.
constexpr admission_word refusing(submitter who) noexcept {
  constexpr auto ended = cancelling_bit | drained_bit;
  switch (who) {
    case submitter::outsider: return ended | closed_bit | waiting_bit;
    case submitter::running_job: return ended | waiting_bit;
    case submitter::waiting: return ended | closed_bit;
    case submitter::waiting_job:
    case submitter::slot_holder: break;
  }
  return ended;
}

constexpr bool is_open(admission_word word, submitter who) noexcept {
  return (word & refusing(who)) == 0;
}

/// Why `word` is not open to `who`.
constexpr verdict why_refused(admission_word word, submitter who) noexcept {
  return (word & refusing(who) & ~waiting_bit) == 0 ? verdict::queue_full : verdict::closed;
}

/// How many jobs fit: the bound is `finished + capacity`, for every job that has not finished
/// holds a slot. Exact for the moment at which `finished` was read, because the position only
/// grows: who finds `position >= finished + capacity` with a position read before `finished` was
/// full at that moment, and who finds less has room for as long as it holds that position.
constexpr std::uint64_t room_at(std::uint64_t position, std::uint64_t finished,
                                std::uint64_t capacity) noexcept {
  auto const limit = finished + capacity;
  return position < limit ? limit - position : 0;
}

}  // namespace brigade::detail
