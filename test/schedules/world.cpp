// SPDX-License-Identifier: BSL-1.0
#include "schedules/world.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <unordered_map>

#include "schedules/mutant.hpp"

namespace test::schedules {

namespace {

constexpr std::size_t stack_size = 64 * 1024;
constexpr unsigned most_steps = 20'000;

// Stacks are used again by the threads of the next world.
std::vector<std::unique_ptr<char[]>> spare_stacks;

struct site_record {
  std::source_location at;
  char const* access;
  bool relaxed;
  bool ordered;
  bool contended = false;
};
std::vector<site_record> sites;
std::unordered_map<std::uint64_t, unsigned> site_numbers;

// A thread that goes wrong may follow a wild pointer. That is a failure like others, and it is told
// in which schedule.
void report_wild_access(int) { world::current().fail("a wild access"); }

void catch_wild_accesses() {
  static std::array<char, 16 * 1024> stack;
  static bool const caught = [] {
    stack_t on{};
    on.ss_sp = stack.data();
    on.ss_size = stack.size();
    ::sigaltstack(&on, nullptr);
    struct sigaction action {};
    action.sa_handler = &report_wild_access;
    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    ::sigaction(SIGSEGV, &action, nullptr);
    return true;
  }();
  static_cast<void>(caught);
}

}  // namespace

std::size_t world::contended_count_ = 0;

world::world(decisions& by, bool trace) : by_(by), trace_(trace) {
  catch_wild_accesses();
  current_ = this;
  by_.begin();
}

world::~world() {
  for (auto& one : fibers_) spare_stacks.push_back(std::move(one->stack));
  current_ = nullptr;
}

// ── threads ──

void world::thread(char const* name, std::function<void()> body) {
  auto one = std::make_unique<fiber>();
  one->name = name;
  one->body = std::move(body);
  if (spare_stacks.empty()) spare_stacks.push_back(std::make_unique<char[]>(stack_size));
  one->stack = std::move(spare_stacks.back());
  spare_stacks.pop_back();
  ::getcontext(&one->context);
  one->context.uc_stack.ss_sp = one->stack.get();
  one->context.uc_stack.ss_size = stack_size;
  ::makecontext(&one->context, &world::begin, 0);
  fibers_.push_back(std::move(one));
}

void world::run() {
  running_ = next(ready());
  ::swapcontext(&outside_, &fibers_[running_]->context);
  running_ = nobody;
  learn();
}

void world::begin() {
  auto& self = *current_;
  self.me().body();
  self.flush_late();
  self.me().ended = true;
  self.leave();
}

void world::leave() {
  auto others = ready();
  if (others.empty()) ::setcontext(&outside_);
  running_ = next(std::move(others));
  ::setcontext(&me().context);
}

std::vector<std::size_t> world::ready() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i != fibers_.size(); ++i) {
    auto const& one = *fibers_[i];
    if (!one.ended && (!one.may_go_on || one.may_go_on())) found.push_back(i);
  }
  return found;
}

std::size_t world::next(std::vector<std::size_t> others) {
  // In turn: those behind the one that ran come first.
  auto const after = std::upper_bound(others.begin(), others.end(), running_);
  if (in_thread()) std::rotate(others.begin(), after, others.end());
  auto const chosen = by_.next(++steps_, others);
  if (chosen != others[0]) choices_.push_back({steps_, 't', chosen});
  return chosen;
}

void world::switch_to(std::size_t next) {
  if (next == running_) return;
  auto& from = me().context;
  running_ = next;
  ::swapcontext(&from, &me().context);
}

void world::step(bool contended) {
  if (++steps_ > most_steps) fail("it does not come to an end");
  auto others = ready();
  std::erase(others, running_);
  auto const chosen = by_.thread(steps_, running_, others, contended);
  if (chosen == running_) return;
  choices_.push_back({steps_, 't', chosen});
  switch_to(chosen);
}

void world::step(memory::place p, unsigned site, bool writes) {
  if (p >= uses_.size()) uses_.resize(p + 1);
  auto& used = uses_[p];
  used.threads |= 1U << running_;
  used.written = used.written || writes;
  if (std::find(used.sites.begin(), used.sites.end(), site) == used.sites.end()) {
    used.sites.push_back(site);
  }
  step(sites[site].contended);
}

void world::wait(std::function<bool()> may_go_on) {
  flush_late();
  auto& mine = me();
  mine.may_go_on = std::move(may_go_on);
  auto others = ready();
  if (others.empty()) ::setcontext(&outside_);  // nothing moves any more
  // Nothing may be left on a stack that is never gone back to.
  auto const chosen = next(std::move(others));
  switch_to(chosen);
  mine.may_go_on = nullptr;
}

void world::spin() {
  if (!in_thread()) return;
  if (++steps_ > most_steps) fail("it does not come to an end");
  // Whatever others have stored becomes visible at some time. Who has acted on it waits for more;
  // that it was seen, after something older was read, is not enough.
  auto& mine = me();
  bool saw_all = true;
  for (auto const& [p, value] : mine.read) {
    saw_all = saw_all && memory_.is_newest(p, value);
    memory_.show_newest(p, mine.seen);
  }
  if (saw_all) {
    wait([this, before = changes_] { return changes_ != before; });
    for (auto const& [p, value] : mine.read) memory_.show_newest(p, mine.seen);
  }
  mine.read.clear();
}

// A place in the code is worth a change of threads if what is touched there is written by one
// thread and touched by another, in whatever run.
void world::learn() {
  for (auto const& used : uses_) {
    if (!used.written || (used.threads & (used.threads - 1)) == 0) continue;
    for (auto const site : used.sites) {
      if (std::exchange(sites[site].contended, true)) continue;
      ++contended_count_;
    }
  }
}

// ── what must hold ──

void world::fail(std::string what) {
  if (failure_.empty()) failure_ = std::move(what);
  if (in_thread()) ::setcontext(&outside_);
}

void world::touch(void const* where) {
  if (!in_thread()) return;
  step(true);
  if (!memory_.touch(where, me().seen)) fail("a data race");
}

void world::expect_ended(std::size_t first, std::size_t last) {
  for (auto i = first; i != last; ++i) {
    if (!ended(i)) fail(std::string(fibers_[i]->name) + " waits for ever");
  }
}

std::string world::schedule() const {
  std::string all;
  for (auto const& one : choices_) {
    if (!all.empty()) all += '.';
    all += std::to_string(one.step) + one.kind + std::to_string(one.value);
  }
  return all;
}

void world::tell(char const* what, std::uint64_t value, std::source_location const& at) {
  if (!trace_) return;
  std::printf("%5u  %-12s %-40s %s %llx\n", steps_, me().name, function_of(at).c_str(), what,
              static_cast<unsigned long long>(value));
}

// ── places in the code ──

unsigned world::site_of(std::source_location const& at, char const* access,
                        std::memory_order order) {
  auto const key = std::hash<void const*>{}(at.file_name()) * 31 +
                   (std::uint64_t{at.line()} << 12 | at.column());
  auto const [found, is_new] = site_numbers.try_emplace(key, static_cast<unsigned>(sites.size()));
  if (is_new) {
    sites.push_back(
        {at, access, order == std::memory_order_relaxed, order == std::memory_order_seq_cst});
  }
  return found->second;
}

std::vector<world::access_site> world::access_sites() {
  std::vector<access_site> found;
  for (auto const& one : sites) {
    if (one.relaxed) continue;
    found.push_back({function_of(one.at) + ' ' + one.access, one.at.line(), one.ordered});
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

namespace {

std::memory_order weakened(std::memory_order order, std::source_location const& at,
                           char const* access) {
  if (made_mistake == nullptr) return order;
  if (mistaken(mistake::relaxed, at, access)) return std::memory_order_relaxed;
  if (order == std::memory_order_seq_cst && mistaken(mistake::weaker, at, access)) {
    return std::memory_order_acq_rel;
  }
  return order;
}

}  // namespace

// ── atomics ──

void world::made(void const* where, std::uint64_t initial) { memory_.make(where, initial); }
void world::destroyed(void const* where) { memory_.forget(where); }

void world::flush_late() {
  for (auto const& one : std::exchange(me().late, {})) {
    memory_.store(one.where, one.to, me().seen, one.order);
    ++changes_;
  }
}

void world::has_read(memory::place p) {
  auto& mine = me();
  auto const is_there = [p](sight const& s) { return s.where == p; };
  if (std::ranges::none_of(mine.read, is_there)) mine.read.push_back({p, mine.seen[p]});
}

void world::has_written(memory::place p) {
  std::erase_if(me().read, [p](sight const& s) { return s.where == p; });
}

std::uint64_t world::load(void const* where, std::uint64_t initial, std::memory_order order,
                          std::source_location const& at) {
  auto const p = memory_.place_of(where, initial);
  if (!in_thread()) return memory_.newest(p);
  step(p, site_of(at, "load", order), false);
  order = weakened(order, at, "load");
  auto& mine = me();
  for (auto one = mine.late.rbegin(); one != mine.late.rend(); ++one) {
    if (one->where == p) return one->to;
  }
  auto const age = by_.age(steps_, memory_.choices(p, mine.seen, order));
  if (age != 0) choices_.push_back({steps_, 'o', age});
  auto const value = memory_.load(p, age, mine.seen, order);
  has_read(p);
  tell(age == 0 ? "reads" : "reads the old", value, at);
  return value;
}

void world::store(void const* where, std::uint64_t initial, std::uint64_t to,
                  std::memory_order order, std::source_location const& at) {
  auto const p = memory_.place_of(where, initial);
  if (!in_thread()) return memory_.set(p, to);
  step(p, site_of(at, "store", order), true);
  order = weakened(order, at, "store");
  if (mistaken(mistake::late, at, "store")) {
    me().late.push_back({p, to, order});
    return;
  }
  memory_.store(p, to, me().seen, order);
  has_written(p);
  ++changes_;
  tell("stores", to, at);
}

std::uint64_t world::change(void const* where, std::uint64_t initial,
                            std::uint64_t (*how)(std::uint64_t, std::uint64_t), std::uint64_t by,
                            std::memory_order order, std::source_location const& at) {
  auto const p = memory_.place_of(where, initial);
  if (!in_thread()) {
    auto const before = memory_.newest(p);
    memory_.set(p, how(before, by));
    return before;
  }
  auto const site = site_of(at, "change", order);
  step(p, site, true);
  flush_late();
  order = weakened(order, at, "change");
  auto const before = memory_.newest(p);
  if (mistaken(mistake::left_out, at, "change")) return before;
  if (mistaken(mistake::torn, at, "change")) {
    memory_.load(p, 0, me().seen, order);
    step(p, site, true);
    memory_.store(p, how(before, by), me().seen, order);
  } else {
    memory_.change(p, how(before, by), me().seen, order);
  }
  has_written(p);
  ++changes_;
  tell("changes to", how(before, by), at);
  return before;
}

bool world::exchange_if(void const* where, std::uint64_t initial, std::uint64_t& expected,
                        std::uint64_t to, std::memory_order order, std::memory_order otherwise,
                        bool may_fail, std::source_location const& at) {
  auto const p = memory_.place_of(where, initial);
  if (!in_thread()) {
    auto const is = memory_.newest(p);
    if (is == expected) return memory_.set(p, to), true;
    return expected = is, false;
  }
  auto const site = site_of(at, "exchange", order);
  step(p, site, true);
  flush_late();
  order = weakened(order, at, "exchange");
  otherwise = weakened(otherwise, at, "exchange");
  auto& mine = me();
  // It reads the newest value; or fails with an older one; or, a weak one, for no reason.
  auto const values = memory_.choices(p, mine.seen, otherwise);
  auto age = by_.age(steps_, values + (may_fail ? 1 : 0));
  if (age != 0) choices_.push_back({steps_, 'o', age});
  bool const for_nothing = age == values;
  if (for_nothing) age = 0;
  if (memory_.look(p, age) == expected) age = 0;  // an old value is no reason to succeed
  if (for_nothing || memory_.look(p, age) != expected) {
    expected = memory_.load(p, age, mine.seen, otherwise);
    has_read(p);
    tell("fails to exchange", expected, at);
    return false;
  }
  if (mistaken(mistake::torn, at, "exchange")) {
    memory_.load(p, 0, mine.seen, order);
    step(p, site, true);
    memory_.store(p, to, me().seen, order);
  } else {
    memory_.change(p, to, mine.seen, order);
  }
  has_written(p);
  ++changes_;
  tell("exchanges for", to, at);
  return true;
}

void world::fence(std::source_location const& at) {
  step(true);
  flush_late();
  if (mistaken(mistake::left_out, at, "fence")) return;
  memory_.fence(me().seen);
  tell("passes a fence", 0, at);
}

void world::light_fence(std::source_location const& at) {
  step(true);
  if (mistaken(mistake::left_out, at, "light fence")) return;
  flush_late();
  memory_.light_fence(me().seen);
  tell("passes a light fence", 0, at);
}

void world::heavy_fence(std::source_location const& at) {
  step(true);
  if (mistaken(mistake::left_out, at, "heavy fence")) return;
  flush_late();
  memory_.heavy_fence(me().seen);
  tell("passes a heavy fence", 0, at);
}

}  // namespace test::schedules
