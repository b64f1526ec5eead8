// SPDX-License-Identifier: BSL-1.0
#include <brigade/detail/signal_reaction.hpp>

#include <cstdio>
#include <exception>

#include <brigade/detail/pool_core.hpp>

namespace brigade::detail {

signal_reaction::signal_reaction(std::shared_ptr<pool_core> const& core,
                                 signal_options const& options)
    : core_(core),
      sequence_(core->shutdown()),
      times_{options.lame_duck, options.drain, options.cancel},
      dump_on_(options.dump_on),
      on_dump_(options.on_dump) {}

bool signal_reaction::caught(int signal) {
  auto const core = core_.lock();
  if (!core) return true;
  if (signal == dump_on_) {
    dump(*core);
    return true;
  }
  ++seen_;
  if (seen_ == 1) sequence_->begin(core, times_, signal);
  if (seen_ == 2) sequence_->hurry(core);
  return seen_ < 3;
}

void signal_reaction::dump(pool_core& core) const noexcept {
  try {
    auto const now = core.dump();
    if (on_dump_) return on_dump_(now);
    auto const text = to_string(now);
    std::fwrite(text.data(), 1, text.size(), stderr);
  } catch (...) {
    core.report_handler_error(std::current_exception());
  }
}

}  // namespace brigade::detail
