// What the process did with a signal before brigade caught it, and shall do again afterwards.
// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace brigade::detail {

/// Remembers what is done with `signal` now, unless somebody holds it already.
void hold_disposition(int signal);

/// By the last who held it, after nobody catches it any more: restores what was remembered. Leaves
/// it alone where somebody else has caught the signal meanwhile.
void restore_disposition(int signal) noexcept;

/// Lets the signal do what it does to a program that knows nothing of it, as a shell expects.
void raise_by_default(int signal) noexcept;

}  // namespace brigade::detail
