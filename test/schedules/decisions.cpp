// SPDX-License-Identifier: BSL-1.0
#include "schedules/decisions.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace test::schedules {

// ── search ──

void search::begin() {
  at_ = 0;
  left_ = most_;
}

std::size_t search::choose(std::size_t count) {
  if (at_ == path_.size()) path_.emplace_back(0, count);
  return path_[at_++].first;
}

std::size_t search::thread(unsigned, std::size_t running, std::vector<std::size_t> const& others,
                           bool contended) {
  if (others.empty() || !contended || left_.changes == 0) return running;
  auto const chosen = choose(1 + others.size());
  if (chosen == 0) return running;
  --left_.changes;
  return others[chosen - 1];
}

std::size_t search::next(unsigned, std::vector<std::size_t> const& others) {
  if (others.size() == 1 || left_.changes == 0) return others[0];
  auto const chosen = choose(others.size());
  if (chosen != 0) --left_.changes;
  return others[chosen];
}

std::size_t search::age(unsigned, std::size_t count) {
  if (count == 1 || left_.old == 0) return 0;
  auto const chosen = choose(count);
  if (chosen != 0) --left_.old;
  return chosen;
}

bool search::advance() {
  while (!path_.empty()) {
    if (++path_.back().first != path_.back().second) return true;
    path_.pop_back();
  }
  return false;
}

// ── a seed ──

by_seed::by_seed(std::uint64_t seed) : random_(seed) {
  change_every_ = 2U << (random_() % 5);
  old_every_ = 2U << (random_() % 4);
}

std::size_t by_seed::thread(unsigned, std::size_t running, std::vector<std::size_t> const& others,
                            bool) {
  if (others.empty() || random_() % change_every_ != 0) return running;
  return others[random_() % others.size()];
}

std::size_t by_seed::next(unsigned, std::vector<std::size_t> const& others) {
  return others[random_() % others.size()];
}

std::size_t by_seed::age(unsigned, std::size_t count) {
  if (count == 1 || random_() % old_every_ != 0) return 0;
  return random_() % count;
}

// ── a script ──

by_script::by_script(std::string_view schedule) {
  auto const number = [&schedule, all = std::string(schedule)](std::size_t& into) {
    auto const [end, error] =
        std::from_chars(schedule.data(), schedule.data() + schedule.size(), into);
    if (error != std::errc{}) {
      throw std::invalid_argument(
          "a schedule is made of parts such as 57t2 or 80o1, with dots "
          "between them; not of '" +
          all + "'");
    }
    schedule.remove_prefix(static_cast<std::size_t>(end - schedule.data()));
  };
  while (!schedule.empty()) {
    std::size_t step = 0;
    std::size_t value = 0;
    number(step);
    char const kind = schedule.empty() ? '.' : schedule.front();
    schedule.remove_prefix(schedule.empty() ? 0 : 1);
    number(value);
    if (kind == 't') {
      threads_[static_cast<unsigned>(step)] = value;
    } else if (kind == 'o') {
      ages_[static_cast<unsigned>(step)] = value;
    } else {
      throw std::invalid_argument(
          std::string("a part of a schedule has a 't' or an 'o' between two "
                      "numbers, not a '") +
          kind + "'");
    }
    if (!schedule.empty() && schedule.front() == '.') schedule.remove_prefix(1);
  }
}

std::size_t by_script::of_thread(unsigned step, std::vector<std::size_t> const& others,
                                 std::size_t otherwise) const {
  auto const found = threads_.find(step);
  if (found == threads_.end()) return otherwise;
  return std::find(others.begin(), others.end(), found->second) != others.end() ? found->second
                                                                                : otherwise;
}

std::size_t by_script::thread(unsigned step, std::size_t running,
                              std::vector<std::size_t> const& others, bool) {
  return of_thread(step, others, running);
}

std::size_t by_script::next(unsigned step, std::vector<std::size_t> const& others) {
  return of_thread(step, others, others[0]);
}

std::size_t by_script::age(unsigned step, std::size_t count) {
  auto const found = ages_.find(step);
  return found == ages_.end() || found->second >= count ? 0 : found->second;
}

}  // namespace test::schedules
