// The lanes of a pool, and the one admission that stands before all of them.
//
// A pool with one lane has nothing but that lane's queue, whose gate is the pool's. With several,
// each lane's gate counts the lane's positions and keeps the lane's bound; a joint gate carries the
// pool's state and bound. A job takes its lane's position first and the joint one second, for the
// first can be withdrawn without anybody noticing; whoever is refused by a lane because of a
// position that is about to be withdrawn is refused while the pool is full anyway.
//
// Service: in rounds, of which each worker keeps its own. A round gives each lane as many jobs as
// its weight says, the lanes in their order; a lane without jobs gives its part away. So lane 0 is
// served first, and no lane waits for longer than a round (weighted round robin).
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include <brigade/detail/admission_gate.hpp>
#include <brigade/detail/job_queue.hpp>
#include <brigade/detail/ledger.hpp>
#include <brigade/options.hpp>

namespace brigade::detail {

class lane_set {
 public:
  /// With options that have been checked: every lane has a capacity.
  lane_set(pool_options const& options, ledger const& counts);

  [[nodiscard]] unsigned count() const noexcept { return static_cast<unsigned>(1 + lower_.size()); }
  [[nodiscard]] bool is_one() const noexcept { return !joint_; }
  job_queue& operator[](unsigned lane) noexcept { return lane == 0 ? first_ : *lower_[lane - 1]; }
  job_queue const& operator[](unsigned lane) const noexcept {
    return lane == 0 ? first_ : *lower_[lane - 1];
  }

  /// Takes up to `wanted` positions in a row.
  admission_claim admit(unsigned lane, submitter who, std::uint64_t wanted = 1) {
    if (!joint_) [[likely]]
      return first_.admit(who, wanted);
    return admit_jointly(lane, who, wanted);
  }
  std::uint64_t admit_plainly() noexcept {
    return joint_ ? job_queue::not_plain : first_.admit_plainly();
  }
  [[nodiscard]] verdict probe(unsigned lane, submitter who) const noexcept {
    if (!joint_) [[likely]]
      return first_.probe(who);
    return probe_jointly(lane, who);
  }

  /// The gate with the pool's state.
  admission_gate& gate() noexcept { return joint_ ? *joint_ : first_.gate(); }
  admission_gate const& gate() const noexcept { return joint_ ? *joint_ : first_.gate(); }

  /// Sets `drained` if the pool is closed and every job has ended; true for who set it.
  bool try_finish() noexcept {
    return gate().try_finish([this] { return finished(); });
  }

  /// Slots that come free belong to those who wait: for this lane, or whatever the lane. With one
  /// lane the two are the same.
  void reserve_lane_for_waiting(unsigned lane, bool yes) noexcept {
    mark(operator[](lane).gate(), yes);
  }
  void reserve_all_for_waiting(bool yes) noexcept { mark(gate(), yes); }
  /// Whether the pool, and not just a lane, has no slot.
  [[nodiscard]] bool is_full() const noexcept { return room() == 0; }
  /// Whether at least half of the pool's slots are taken.
  [[nodiscard]] bool is_half_full() const noexcept { return room() <= capacity_ / 2; }

  /// How many positions the lane has given out for good. Each was counted before its job was
  /// queued.
  [[nodiscard]] std::uint64_t given_out(unsigned lane) const noexcept {
    return joint_ ? operator[](lane).confirmed() : position_of(first_.gate().word());
  }

  /// Positions of the whole pool that hold no slot any more.
  [[nodiscard]] std::uint64_t finished() const noexcept {
    return joint_ ? counts_.finished() : first_.finished();
  }

  /// One worker's place in its round.
  class round {
    friend class lane_set;
    std::vector<unsigned> left_;
  };

  /// Takes the next job of the round into `out`, and says of which lane.
  bool take(round& where, inline_job& out, job_note& note, unsigned& lane) noexcept {
    if (!joint_) [[likely]]
      return first_.take(out, note);
    return take_in_round(where, out, note, lane);
  }
  [[nodiscard]] bool ready() const noexcept {
    if (first_.ready()) return true;
    for (auto const& lane : lower_) {
      if (lane->ready()) return true;
    }
    return false;
  }
  [[nodiscard]] round const& begin_round() const noexcept { return full_round_; }

  [[nodiscard]] std::chrono::milliseconds oldest_age() const;

 private:
  [[nodiscard]] std::uint64_t room() const noexcept {
    auto const position = position_of(gate().word());  // first, as everywhere: see room_at()
    return room_at(position, finished(), capacity_);
  }
  static void mark(admission_gate& gate, bool yes) noexcept {
    if (((gate.word() & waiting_bit) != 0) == yes) return;
    if (yes) {
      gate.set(waiting_bit);
    } else {
      gate.clear(waiting_bit);
    }
  }
  admission_claim admit_jointly(unsigned lane, submitter who, std::uint64_t wanted);
  [[nodiscard]] verdict probe_jointly(unsigned lane, submitter who) const noexcept;
  std::uint64_t give_out_jointly(submitter who, std::uint64_t wanted, verdict& answer) noexcept;
  bool take_in_round(round& where, inline_job& out, job_note& note, unsigned& lane) noexcept;

  ledger const& counts_;
  std::uint64_t const capacity_;
  job_queue first_;
  std::vector<std::unique_ptr<job_queue>> lower_;
  std::unique_ptr<admission_gate> joint_;  // null where there is one lane
  round full_round_;
};

}  // namespace brigade::detail
