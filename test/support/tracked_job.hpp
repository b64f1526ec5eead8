// A job that knows how often it was run and how many of it exist, and which can throw wherever it
// is copied or moved.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <stdexcept>

namespace test {

struct job_track {
  std::atomic<int> alive{0};
  std::atomic<int> runs{0};
  std::atomic<int> copies_until_throw{-1};  // copies and moves; below 0: none throws

  void copied() {
    if (copies_until_throw.load() >= 0 && copies_until_throw.fetch_sub(1) == 0) {
      throw std::runtime_error("a job that does not want to be copied");
    }
    alive.fetch_add(1);
  }
};

/// `Size` bytes or a little more; its move is not noexcept.
template <std::size_t Size>
struct tracked_job {
  explicit tracked_job(job_track& t) noexcept : track(&t) { track->alive.fetch_add(1); }
  tracked_job(tracked_job const& other) : track(other.track) { track->copied(); }
  tracked_job& operator=(tracked_job const&) = delete;
  ~tracked_job() { track->alive.fetch_sub(1); }

  void operator()() const { track->runs.fetch_add(1); }

  job_track* track;
  std::array<char, Size> ballast{};
};

/// The same, moved without throwing.
template <std::size_t Size>
struct movable_job {
  explicit movable_job(job_track& t) noexcept : track(&t) { track->alive.fetch_add(1); }
  movable_job(movable_job&& other) noexcept : track(other.track) { track->alive.fetch_add(1); }
  ~movable_job() { track->alive.fetch_sub(1); }

  void operator()() const { track->runs.fetch_add(1); }

  job_track* track;
  std::array<char, Size> ballast{};
};

}  // namespace test
