// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/admission.hpp>

#include "support/catch.hpp"

using namespace brigade::detail;

TEST_CASE("a fresh word admits everybody", "[unit][admission]") {
  CHECK(is_open(0, submitter::outsider));
  CHECK(is_open(0, submitter::running_job));
  CHECK(position_of(0) == 0);
}

TEST_CASE("a closed word admits running jobs only", "[unit][admission]") {
  CHECK_FALSE(is_open(closed_bit, submitter::outsider));
  CHECK(is_open(closed_bit, submitter::running_job));
}

TEST_CASE("a cancelling or drained word admits nobody", "[unit][admission]") {
  for (auto const bit : {cancelling_bit, drained_bit}) {
    CHECK_FALSE(is_open(closed_bit | bit, submitter::outsider));
    CHECK_FALSE(is_open(closed_bit | bit, submitter::running_job));
  }
}

TEST_CASE("slots that are awaited are for those in line, and for who has one to give in exchange",
          "[unit][admission]") {
  for (auto const who : {submitter::outsider, submitter::running_job}) {
    CHECK_FALSE(is_open(waiting_bit, who));
    CHECK(why_refused(waiting_bit, who) == verdict::queue_full);
    CHECK(why_refused(waiting_bit | cancelling_bit, who) == verdict::closed);
  }
  for (auto const who : {submitter::waiting, submitter::waiting_job, submitter::slot_holder}) {
    CHECK(is_open(waiting_bit, who));
    CHECK_FALSE(is_open(cancelling_bit, who));
  }
  CHECK_FALSE(is_open(closed_bit, submitter::waiting));
  CHECK(is_open(closed_bit, submitter::waiting_job));
  CHECK(is_open(closed_bit, submitter::slot_holder));
}

TEST_CASE("state bits and the position do not touch each other", "[unit][admission]") {
  auto const all = closed_bit | cancelling_bit | drained_bit | spilling_bit | waiting_bit;
  auto const word = 12345 * one_position + all;
  CHECK(position_of(word) == 12345);
  CHECK(position_of(word + one_position) == 12346);
  CHECK((all & ~(one_position - 1)) == 0);
}

TEST_CASE("there is room for as many jobs as the capacity has left", "[unit][admission]") {
  CHECK(room_at(0, 0, 1) == 1);
  CHECK(room_at(1, 0, 1) == 0);
  CHECK(room_at(1, 1, 1) == 1);
  CHECK(room_at(10, 4, 8) == 2);
  CHECK(room_at(12, 4, 8) == 0);
  CHECK(room_at(13, 4, 8) == 0);
}
