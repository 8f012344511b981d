// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/sandbox/tool.hpp"

namespace rootlet::sandbox {

// What init does while the tool runs: passes on the signals that the launcher
// names, reaps orphans, tells the launcher how the tool fares, and ends when
// the tool or the launcher does. The kernel then ends all that is left in the
// PID namespace (pid_namespaces(7)). With `tell_start` it says
// when the tool's program runs. Returns init's exit status.
int reap(const Tool& tool, int control, bool tell_start);

}  // namespace rootlet::sandbox
