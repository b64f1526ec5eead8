// What is remembered of a job that somebody wants to know about: because its times are taken, or
// because an observer or a tracer is told of it. Most jobs of a busy pool have none.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstdint>

namespace brigade::detail {

struct job_note {
  std::int64_t admitted = 0;  // nanoseconds of the steady clock, not 0; 0: there is no note
  std::int64_t started = 0;   // the same; 0: not yet
  std::uint64_t number = 0;   // the position, and the lane in the top byte
  char const* name = nullptr;
  unsigned weight = 1;  // how many jobs it stands for where times are recorded; a power of two

  explicit operator bool() const noexcept { return admitted != 0; }
};

/// What of a note travels with a job through the queue: the moment of its admission and its weight,
/// in a word: weights below 2^16, and a clock that has run for less than 36 years. The queue knows
/// the number, and a job with a name knows that itself.
constexpr std::uint64_t pack(job_note const& note) noexcept {
  return static_cast<std::uint64_t>(note.admitted) << 4 |
         static_cast<unsigned>(std::countr_zero(note.weight));
}

constexpr job_note unpack(std::uint64_t packed, unsigned lane, std::uint64_t position) noexcept {
  job_note note;
  note.admitted = static_cast<std::int64_t>(packed >> 4);
  note.weight = 1U << (packed & 15);
  note.number = std::uint64_t{lane} << 56 | position;
  return note;
}

}  // namespace brigade::detail
