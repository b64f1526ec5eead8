// SPDX-License-Identifier: BSL-1.0
#include "storms/program.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <string_view>

namespace storms {

namespace {

using brigade::overflow;

template <class Enum, std::size_t Size>
std::string_view name_of(Enum value, std::array<std::string_view, Size> const& names) {
  return names.at(static_cast<std::size_t>(value));
}

constexpr std::array<std::string_view, 7> kind_names{
    "plain", "throwing", "stoppable", "spawning", "stopping", "stoic", "sleeper"};
constexpr std::array<std::string_view, 4> overflow_names{"reject", "wait", "caller_runs",
                                                         "drop_oldest"};
constexpr std::array<std::string_view, 19> act_names{
    "post",         "submit",  "bulk",  "post_for", "reserve", "async_reserve", "spend_post",
    "spend_submit", "release", "run",   "run_all",  "resume",  "cancel",        "cancel_group",
    "wait_group",   "close",   "drain", "shutdown", "stop"};

void print(std::ostream& out, job_terms const& job) {
  out << ' ' << name_of(job.kind, kind_names) << ' ' << name_of(job.when_full, overflow_names)
      << " lane " << job.lane;
  if (job.start_by == due::past) out << " past";
  if (job.start_by == due::far) out << " far";
  if (job.told == told_on::pool) out << " told-on-pool";
  if (job.in_group) out << " in-group";
  if (job.cancellable) out << " cancellable";
  if (job.named) out << " named";
  if (job.large) out << " large";
}

/// Small programs, too, are of all commands: RapidCheck would give them the first numbers of a
/// range.
template <class T>
rc::Gen<T> whole_range(rc::Gen<T> gen) {
  return rc::gen::resize(rc::kNominalSize, std::move(gen));
}

rc::Gen<job_terms> jobs(bool endings) {
  using rc::gen::set;
  return rc::gen::build<job_terms>(
      set(&job_terms::kind,
          rc::gen::weightedElement<job_kind>({{8, job_kind::plain},
                                              {3, job_kind::throwing},
                                              {2, job_kind::stoppable},
                                              {3, job_kind::spawning},
                                              {endings ? 1U : 0U, job_kind::stopping},
                                              {3, job_kind::stoic},
                                              {3, job_kind::sleeper}})),
      set(&job_terms::when_full, rc::gen::weightedElement<overflow>({{4, overflow::reject},
                                                                     {4, overflow::wait},
                                                                     {2, overflow::caller_runs},
                                                                     {3, overflow::drop_oldest}})),
      set(&job_terms::lane, rc::gen::inRange(0U, 3U)),
      set(&job_terms::start_by,
          rc::gen::weightedElement<due>({{8, due::never}, {1, due::past}, {2, due::far}})),
      set(&job_terms::told, rc::gen::element(told_on::elsewhere, told_on::pool)),
      set(&job_terms::in_group, rc::gen::arbitrary<bool>()),
      set(&job_terms::cancellable, rc::gen::arbitrary<bool>()),
      set(&job_terms::named, rc::gen::arbitrary<bool>()),
      set(&job_terms::large, rc::gen::arbitrary<bool>()));
}

rc::Gen<command> commands(bool endings) {
  using rc::gen::set;
  auto const end = endings ? 1U : 0U;
  return rc::gen::build<command>(
      set(&command::what, rc::gen::weightedElement<act>({
                              {14, act::post},      {20, act::submit},      {4, act::bulk},
                              {3, act::post_for},   {5, act::reserve},      {5, act::async_reserve},
                              {4, act::spend_post}, {4, act::spend_submit}, {4, act::release},
                              {10, act::run},       {5, act::run_all},      {6, act::resume},
                              {8, act::cancel},     {2, act::cancel_group}, {3, act::wait_group},
                              {end, act::close},    {end, act::drain},      {end, act::shutdown},
                              {end, act::stop},
                          })),
      set(&command::job, jobs(endings)), set(&command::which, rc::gen::inRange(0U, 16U)),
      set(&command::count, rc::gen::inRange(0U, 6U)));
}

rc::Gen<brigade::lane_options> lanes() {
  return rc::gen::build<brigade::lane_options>(
      rc::gen::set(&brigade::lane_options::capacity,
                   rc::gen::inRange(std::size_t{1}, std::size_t{8})),
      rc::gen::set(&brigade::lane_options::weight, rc::gen::inRange(1U, 4U)));
}

}  // namespace

bool is_coroutine(job_kind kind) noexcept {
  return kind == job_kind::stoic || kind == job_kind::sleeper;
}

std::ostream& operator<<(std::ostream& out, command const& c) {
  out << "\n  " << name_of(c.what, act_names) << " which " << c.which << " count " << c.count;
  print(out, c.job);
  return out;
}

std::ostream& operator<<(std::ostream& out, setup const& s) {
  out << s.workers << " workers, capacity " << s.capacity << ", max_waiting " << s.max_waiting
      << ", group bound " << s.group_bound;
  for (auto const& lane : s.lanes) {
    out << ", lane of capacity " << lane.capacity << " and weight " << lane.weight;
  }
  return out;
}

rc::Gen<program> programs(bool endings) {
  return rc::gen::container<program>(whole_range(commands(endings)));
}

rc::Gen<setup> setups() {
  using rc::gen::set;
  auto const any = rc::gen::build<setup>(
      set(&setup::workers, rc::gen::inRange(1U, 4U)),
      set(&setup::capacity, rc::gen::inRange(std::size_t{1}, std::size_t{9})),
      set(&setup::lanes, rc::gen::resize(4, rc::gen::container<std::vector<brigade::lane_options>>(
                                                whole_range(lanes())))),
      set(&setup::max_waiting, rc::gen::inRange(std::size_t{0}, std::size_t{5})),
      set(&setup::group_bound, rc::gen::inRange(std::size_t{0}, std::size_t{3})));
  return rc::gen::map(whole_range(any), [](setup s) {
    for (auto& lane : s.lanes) lane.capacity = std::min(lane.capacity, s.capacity);
    if (s.lanes.size() > 1) s.workers = 1;  // each worker has a round of its own
    return s;
  });
}

}  // namespace storms
