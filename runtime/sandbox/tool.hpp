// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include "runtime/base/result.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::sandbox {

struct Tool {
  pid_t pid = -1;
  // In a process group of its own; a signal to the caller's group then reaches
  // the launcher alone.
  bool own_group = false;
};

// Forks the tool and executes it with nothing but what the plan gives it. A
// failure after the fork is reported by the child over `control`, with 126
// (cannot be executed) or 127 (is not there), and as its exit status.
Result<Tool> start_tool(const Plan& plan, const std::string& cwd, int control);

}  // namespace rootlet::sandbox
