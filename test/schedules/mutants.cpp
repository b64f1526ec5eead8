// Each of these has to be found. SPDX-License-Identifier: BSL-1.0
#include <iterator>

#include "schedules/mutant.hpp"

namespace test::schedules {

constexpr mutant mutants[] = {
    {"a job is published without order", mistake::relaxed, "job_ring::publish store", "ring"},
};

constexpr std::size_t mutant_count = std::size(mutants);

}  // namespace test::schedules
