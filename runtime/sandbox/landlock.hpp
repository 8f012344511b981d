// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/rules/rules.hpp"

namespace rootlet::sandbox {

// The version of Landlock's interface that this kernel has in force (landlock(7));
// 0: none.
int landlock_version();

// From which version on it holds what.
inline constexpr int kLandlockTruncates = 3;  // Linux 6.2
inline constexpr int kLandlockPorts = 4;      // Linux 6.7

// Puts the calling process, and all that it starts, under the rules' paths,
// programs and ports of TCP, with whatever of it this kernel can. For a process
// that is in the run's root already and has no_new_privs.
//
// A path that is not there: what may be created counts for the nearest directory
// above it that is; anything else there is nothing to allow of.
Status restrict_to(const Rules& rules);

}  // namespace rootlet::sandbox
