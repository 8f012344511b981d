// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/os/process.hpp"
#include "runtime/run/make_plan.hpp"
#include "runtime/run/source.hpp"

namespace rootlet {

// --no-isolation: unpack, then as root chroot, else with whatever namespaces
// are left, else run AppRun in place, where absolute paths will not work. What
// is missing is said in one line. Returns a wait status.
Result<int> run_unisolated(const Options& options, Source& source, const Subject& subject,
                           const Caller& caller);

// Waits for a tool that has no init of ours, hands signals on, and stops with it.
// What it leaves behind stays. Returns a wait status.
Result<int> wait_for_tool(os::Child child);

}  // namespace rootlet
