// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace rootlet::os {

// Where they lie: a start that says it at its beginning need not ask /proc for it later.
// As main() gets them; `environment` before anything was set in it.
void know_command_line(int count, char** words, char** environment);

// Wipes what others could read of the caller in a process that was forked from
// the launcher: its command line, which /proc/PID/cmdline shows to everybody,
// and its environment. `name` stands in their place (PR_SET_NAME).
void wipe_traces(const char* name);

// The first part of it alone, or with the environment that the kernel shows.
void wipe_command_line(bool environment);

// Copies of the environment that it wipes as well. They must outlive the process's
// children; a shared image server serves runs whose environment is another.
void wipe_too(std::vector<std::string>& texts);

}  // namespace rootlet::os
