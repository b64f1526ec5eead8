// Plays scenarios under every schedule within limits and under many at random; or one schedule
// again; or with a mistake made on purpose.
// SPDX-License-Identifier: BSL-1.0
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "schedules/decisions.hpp"
#include "schedules/mutant.hpp"
#include "schedules/scenario.hpp"
#include "schedules/world.hpp"

namespace {

using namespace test::schedules;

constexpr char const* usage =
    R"(usage: schedules [--scenario NAME] [--deep] [--changes N] [--old N] [--seeds N]
                     all schedules within limits, and so many at random
       schedules --scenario NAME --replay SCHEDULE             that one again, step by step
       schedules --scenario NAME --seed N                      the one of that seed, step by step
       schedules --mutants                                     each mistake must be found
       schedules --sweep [--seeds N]                           which weaker memory orders are found
       schedules --list
  --mutant NAME   with that mistake; --list tells their names
)";

std::vector<scenario> all_scenarios() {
  std::vector<scenario> all;
  for (auto const& some : {ring_scenarios, admission_scenarios, crew_scenarios, pool_scenarios,
                           ending_scenarios, line_scenarios}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

struct result {
  std::uint64_t schedules = 0;
  std::string failure;   // empty: none
  std::string schedule;  // that it happens in
  std::optional<std::uint64_t> seed;
  bool complete = true;
};

void play_once(scenario const& one, decisions& by, result& into) {
  world w(by);
  one.play(w);
  ++into.schedules;
  into.failure = w.failure();
  if (!into.failure.empty()) into.schedule = w.schedule();
}

result at_random(scenario const& one, std::uint64_t seeds) {
  result found;
  for (std::uint64_t seed = 1; seed <= seeds && found.failure.empty(); ++seed) {
    by_seed by(seed);
    play_once(one, by, found);
    if (!found.failure.empty()) found.seed = seed;
  }
  return found;
}

// Places that turn out to be worth a change of threads while the search is on have been passed by
// before; then it begins anew.
result in_order(scenario const& one, limits const& most, std::uint64_t at_most) {
  result found = at_random(one, 100);
  if (!found.failure.empty()) return found;
  found.schedules = 0;
  search by(most);
  for (auto known = world::contended_sites();;) {
    play_once(one, by, found);
    if (!found.failure.empty()) return found;
    if (world::contended_sites() != known) {
      known = world::contended_sites();
      by.restart();
      found.schedules = 0;
    } else if (!by.advance()) {
      return found;
    } else if (found.schedules == at_most) {
      found.complete = false;
      return found;
    }
  }
}

void tell_failure(scenario const& one, result const& found) {
  std::string where = "--scenario '" + std::string(one.name) + "'";
  if (made_mistake != nullptr) where += " --mutant '" + std::string(made_mistake->name) + "'";
  std::printf("%s: %s\n  again, step by step: %s --replay '%s'\n", one.name, found.failure.c_str(),
              where.c_str(), found.schedule.c_str());
  if (!found.seed) return;
  std::printf("  by its seed:         %s --seed %llu\n", where.c_str(),
              static_cast<unsigned long long>(*found.seed));
}

bool play(scenario const& one, limits const& most, std::uint64_t seeds) {
  using clock = std::chrono::steady_clock;
  auto const began = clock::now();
  auto found = in_order(one, most, ~std::uint64_t{0});
  auto const searched = found.schedules;
  if (found.failure.empty()) found = at_random(one, seeds);
  if (!found.failure.empty()) {
    tell_failure(one, found);
    return false;
  }
  std::printf(
      "%-30s %9llu schedules: all with %u changes of threads and %u old reads; "
      "%7llu schedules at random; %.1f s\n",
      one.name, static_cast<unsigned long long>(searched), most.changes, most.old,
      static_cast<unsigned long long>(seeds),
      std::chrono::duration<double>(clock::now() - began).count());
  std::fflush(stdout);
  return true;
}

bool play_step_by_step(scenario const& one, decisions& by) {
  world w(by, true);
  one.play(w);
  std::printf("%s: %s\n", one.name, w.failure().empty() ? "ok" : w.failure().c_str());
  return w.failure().empty();
}

// A search within small limits, then seeds. Empty: the mistake was not found.
result look_for_mistake(scenario const& one) {
  auto found = in_order(one, {1, 1}, 20'000);
  return found.failure.empty() ? at_random(one, 20'000) : found;
}

bool find_mutant(mutant const& m, scenario const& one) {
  made_mistake = &m;
  auto const found = look_for_mistake(one);
  bool const is_found = !found.failure.empty();
  // What was found has to be found again.
  std::string again;
  if (is_found) {
    by_script by(found.schedule);
    world w(by);
    one.play(w);
    again = w.failure();
  }
  made_mistake = nullptr;
  if (!is_found) {
    std::printf("%-56s NOT FOUND in '%s'\n", m.name, one.name);
    return false;
  }
  std::printf("%-56s found: %s\n", m.name, found.failure.c_str());
  std::fflush(stdout);
  if (again == found.failure) return true;
  std::printf("  but its schedule gives: '%s'\n", again.c_str());
  return false;
}

scenario const& scenario_named(std::vector<scenario> const& all, std::string_view name) {
  for (auto const& one : all) {
    if (one.name == name) return one;
  }
  throw std::invalid_argument("there is no scenario '" + std::string(name) + "'; see --list");
}

int find_all_mutants(std::vector<scenario> const& all) {
  int missed = 0;
  for (std::size_t i = 0; i != mutant_count; ++i) {
    if (!find_mutant(mutants[i], scenario_named(all, mutants[i].scenario))) ++missed;
  }
  std::printf("%zu mutants, %d not found\n", mutant_count, missed);
  return missed == 0 ? 0 : 1;
}

// Each access that is not relaxed is made weaker in turn.
int sweep(std::vector<scenario> const& all, std::uint64_t seeds) {
  for (auto const& one : all) at_random(one, 100);  // to come by all places
  for (auto const& site : world::access_sites()) {
    for (auto const what : {mistake::relaxed, mistake::weaker}) {
      if (what == mistake::weaker && !site.ordered) continue;
      mutant const m{"", what, site.place.c_str(), "", site.line};
      made_mistake = &m;
      std::string found;
      for (auto const& one : all) {
        if (at_random(one, seeds).failure.empty()) continue;
        found = one.name;
        break;
      }
      made_mistake = nullptr;
      std::printf("%-8s %-48s line %-4u %s\n", what == mistake::relaxed ? "relaxed" : "weaker",
                  site.place.c_str(), site.line,
                  found.empty() ? "NOT FOUND" : ("found in '" + found + "'").c_str());
      std::fflush(stdout);
    }
  }
  return 0;
}

int list(std::vector<scenario> const& all) {
  for (auto const& one : all) std::printf("scenario %s\n", one.name);
  for (std::size_t i = 0; i != mutant_count; ++i) std::printf("mutant   %s\n", mutants[i].name);
  return 0;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::invalid_argument("'" + std::string(text) + "' is no number");
  }
  return value;
}

int run(std::vector<std::string_view> const& words) {
  auto const all = all_scenarios();
  std::optional<std::string_view> name;
  std::optional<std::string_view> replayed;
  std::optional<std::uint64_t> seed;
  std::uint64_t seeds = 2'000;
  std::optional<unsigned> changes;
  std::optional<unsigned> old;
  bool deep = false;
  bool sweeping = false;
  for (std::size_t i = 0; i != words.size(); ++i) {
    auto const word = words[i];
    auto const value = [&] {
      if (++i == words.size()) {
        throw std::invalid_argument(std::string(word) + " takes a value");
      }
      return words[i];
    };
    if (word == "--list") return list(all);
    if (word == "--mutants") return find_all_mutants(all);
    if (word == "--deep") {
      deep = true;
    } else if (word == "--sweep") {
      sweeping = true;
    } else if (word == "--scenario") {
      name = value();
    } else if (word == "--replay") {
      replayed = value();
    } else if (word == "--seed") {
      seed = number(value());
    } else if (word == "--seeds") {
      seeds = number(value());
    } else if (word == "--changes") {
      changes = static_cast<unsigned>(number(value()));
    } else if (word == "--old") {
      old = static_cast<unsigned>(number(value()));
    } else if (word == "--mutant") {
      auto const wanted = value();
      for (std::size_t m = 0; m != mutant_count; ++m) {
        if (mutants[m].name == wanted) made_mistake = &mutants[m];
      }
      if (made_mistake == nullptr) {
        throw std::invalid_argument("there is no mutant '" + std::string(wanted) + "'; see --list");
      }
    } else {
      throw std::invalid_argument("unknown option '" + std::string(word) + "'");
    }
  }
  if (replayed || seed) {
    if (!name) throw std::invalid_argument("say which --scenario");
    auto const& one = scenario_named(all, *name);
    if (seed) {
      by_seed by(*seed);
      return play_step_by_step(one, by) ? 0 : 1;
    }
    by_script by(*replayed);
    return play_step_by_step(one, by) ? 0 : 1;
  }
  if (sweeping) return sweep(all, seeds);
  bool good = true;
  for (auto const& one : all) {
    if (name && one.name != *name) continue;
    auto most = deep ? one.deeply : one.searched;
    most.changes = changes.value_or(most.changes);
    most.old = old.value_or(most.old);
    good = play(one, most, seeds) && good;
  }
  if (name) scenario_named(all, *name);
  return good ? 0 : 1;
}

}  // namespace

int main(int count, char** words) try {
  return run({words + 1, words + count});
} catch (std::invalid_argument const& error) {
  std::fprintf(stderr, "error: %s\n%s", error.what(), usage);
  return 2;
}
