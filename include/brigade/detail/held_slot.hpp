// A slot without a job: what a permit holds.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <utility>

#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

/// Owns one slot of a lane, or nothing. Gives it back when it is destroyed.
class held_slot {
 public:
  held_slot() noexcept = default;
  /// Takes the slot of a claim, which was made while `unsettled` said so; empty if the pool
  /// cancels.
  held_slot(std::shared_ptr<pool_core> core, admission_claim const& claim)
      : core_(std::move(core)), lane_(claim.lane) {
    core_->leave_empty(claim);
    if (!core_->permits().add(lane_)) {
      core_->end_elsewhere(outcome::voided, lane_, false);
      core_.reset();
    }
  }
  held_slot(held_slot&& other) noexcept
      : core_(std::move(other.core_)), lane_(std::exchange(other.lane_, 0)) {}
  held_slot& operator=(held_slot&& other) noexcept {
    if (this != &other) {
      give_back();
      core_ = std::move(other.core_);
      lane_ = std::exchange(other.lane_, 0);
    }
    return *this;
  }
  ~held_slot() { give_back(); }

  void give_back() noexcept {
    auto const core = std::exchange(core_, nullptr);
    if (!core) return;
    permit_count::unsettled const moving(core->permits(), lane_);
    if (core->permits().remove(lane_)) {
      core->end_elsewhere(outcome::voided, lane_, false);
    }
  }

  [[nodiscard]] pool_core* core() const noexcept { return core_.get(); }
  [[nodiscard]] unsigned lane() const noexcept { return lane_; }

 private:
  std::shared_ptr<pool_core> core_;
  unsigned lane_ = 0;
};

}  // namespace brigade::detail
