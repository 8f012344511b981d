// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::sandbox {

// The process that becomes the tool. It is forked before the root exists, makes its
// network namespace and its filter meanwhile, the two dearest steps of a start, and
// does a part of init's mounts (devices.hpp): all that costs no time of its own.
struct Tool {
  pid_t pid = -1;
  os::Fd pidfd;
  // In a process group of its own; a signal to the caller's group then reaches
  // the launcher alone.
  bool own_group = false;
  os::Fd channel;  // control.hpp: to it the root and /dev, from it `started`,
                   // to it `note` with the directory
};

// Forks it. A failure after the fork is reported by the child over `control`,
// with 126 (cannot be executed) or 127 (is not there), and as its exit status.
Result<Tool> prepare_tool(const Plan& plan, int control);

// Waits for what it does of init's work: /dev is whole, the network namespace is there.
Status wait_for_help(const Tool& tool);

// Then: enters the network namespace that the tool made.
Status join_network_of(const Tool& tool);

// Lets the tool execute its program in `cwd`, with nothing but what the plan
// gives it.
Status let_run(const Tool& tool, const std::string& cwd);

// What a process that becomes a tool does itself, in this order; `rootlet exec`
// does the same in a run that is there already.
//
// All that needs or takes rights. It can be done before the root is there, and
// what is left needs none.
Status get_ready(const Plan& plan, int channel);
// Executes the program. A failure is told over `control`.
[[noreturn]] void start_program(const Plan& plan, int control);
// Whether it must leave the caller's process group.
bool needs_own_group();

}  // namespace rootlet::sandbox
