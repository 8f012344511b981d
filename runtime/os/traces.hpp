// SPDX-License-Identifier: MIT
#pragma once

namespace rootlet::os {

// Wipes what others could read of the caller in a process that was forked from
// the launcher: its command line, which /proc/PID/cmdline shows to everybody,
// and its environment. `name` stands in their place (PR_SET_NAME).
void wipe_traces(const char* name);

}  // namespace rootlet::os
