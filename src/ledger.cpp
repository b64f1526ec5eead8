// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/ledger.hpp>

namespace brigade::detail {

job_counts ledger::read(unsigned lane) const noexcept {
  job_counts sum;
  auto const each = [this, lane](auto&& visit) {
    visit(elsewhere_[lane]);
    for (unsigned i = 0; i != workers_; ++i) visit(tallies_[std::size_t{lane} * workers_ + i]);
  };
  each([&sum](tally const& t) {
    for (unsigned o = 0; o != outcome_count; ++o) sum.ended[o] += t.ended(static_cast<outcome>(o));
  });
  each([&sum](tally const& t) { sum.started += t.started(); });
  return sum;
}

}  // namespace brigade::detail
