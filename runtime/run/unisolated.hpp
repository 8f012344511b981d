// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/make_plan.hpp"
#include "runtime/run/source.hpp"

namespace rootlet {

// --no-isolation: unpack, then as root chroot, else with whatever namespaces
// are left, else run AppRun in place, where absolute paths will not work. What
// is missing is said in one line. Returns a wait status.
Result<int> run_unisolated(const Options& options, Source& source, const Subject& subject,
                           const Caller& caller);

}  // namespace rootlet
