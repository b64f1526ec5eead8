// SPDX-License-Identifier: BSL-1.0
#include "schedules/memory.hpp"

#include <algorithm>
#include <utility>

namespace test::schedules {

namespace {

bool acquires(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

}  // namespace

void view::join(view const& other) {
  if (other.oldest_.size() > oldest_.size()) oldest_.resize(other.oldest_.size());
  for (std::size_t i = 0; i != other.oldest_.size(); ++i) {
    oldest_[i] = std::max(oldest_[i], other.oldest_[i]);
  }
}

memory::place memory::place_of(void const* where, std::uint64_t initial) {
  auto const [found, is_new] = places_.try_emplace(where, static_cast<place>(values_.size()));
  if (is_new) values_.push_back({{initial, {}}});
  return found->second;
}

void memory::make(void const* where, std::uint64_t initial) {
  places_[where] = static_cast<place>(values_.size());
  values_.push_back({{initial, {}}});
}

std::size_t memory::choices(place p, view& mine, std::memory_order order) {
  auto oldest = mine[p];
  if (order == std::memory_order_seq_cst) oldest = std::max(oldest, ordered_[p]);
  return values_[p].size() - oldest;
}

std::uint64_t memory::look(place p, std::size_t age) const {
  return values_[p][values_[p].size() - 1 - age].is;
}

std::uint64_t memory::load(place p, std::size_t age, view& mine, std::memory_order order) {
  return read(p, values_[p].size() - 1 - age, mine, order);
}

std::uint64_t memory::read(place p, std::size_t index, view& mine, std::memory_order order) {
  auto const& found = values_[p][index];
  mine[p] = std::max(mine[p], static_cast<std::uint32_t>(index));
  if (acquires(order)) mine.join(found.seen);
  return found.is;
}

void memory::store(place p, std::uint64_t to, view& mine, std::memory_order order) {
  auto const index = static_cast<std::uint32_t>(values_[p].size());
  mine[p] = index;
  values_[p].push_back({to, releases(order) ? mine : view{}});
  if (order == std::memory_order_seq_cst) ordered_[p] = index;
}

void memory::change(place p, std::uint64_t to, view& mine, std::memory_order order) {
  auto const index = static_cast<std::uint32_t>(values_[p].size());
  read(p, index - 1, mine, order);
  mine[p] = index;
  view seen = values_[p].back().seen;
  if (releases(order)) seen.join(mine);
  values_[p].push_back({to, std::move(seen)});
  if (order == std::memory_order_seq_cst) ordered_[p] = index;
}

void memory::set(place p, std::uint64_t to) {
  values_[p].clear();
  values_[p].push_back({to, {}});
}

void memory::fence(view& mine) {
  mine.join(ordered_);
  ordered_.join(mine);
}

void memory::light_fence(view& mine) {
  mine.join(heavy_);
  light_.join(mine);
}

void memory::heavy_fence(view& mine) {
  fence(mine);
  mine.join(light_);
  mine.join(heavy_);
  heavy_.join(mine);
}

bool memory::touch(void const* where, view& mine) {
  auto const p = place_of(where, 0);
  if (!is_newest(p, mine[p])) return false;
  values_[p].push_back({0, {}});
  show_newest(p, mine);
  return true;
}

}  // namespace test::schedules
