// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rootlet::os {

// What /proc tells everybody about one process (proc(5), /proc/PID/stat).
struct ProcessFacts {
  pid_t pid = -1, parent = -1;
  std::string name;
  char state = '?';
  std::uint64_t cpu = 0;      // clock ticks, with those of its children that it has waited for
  std::uint64_t started = 0;  // clock ticks after boot
  std::uint64_t threads = 0;
};
std::optional<ProcessFacts> process_facts(pid_t pid);

// All of them, and those below `top` (without it).
std::vector<ProcessFacts> all_processes();
std::vector<ProcessFacts> processes_below(pid_t top);

// The memory of a process, what it shares counted in part (/proc/PID/smaps_rollup,
// Linux 4.14); 0 where it may not be read.
std::uint64_t proportional_memory(pid_t pid);

}  // namespace rootlet::os
