// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/policy/policy.hpp"
#include "runtime/run/caller.hpp"
#include "runtime/run/options.hpp"

namespace rootlet {

// What the tool finds in its environment. `visible` tells whether a host path
// is shown inside (TMPDIR is kept only then).
std::vector<std::string> tool_environment(const Caller& caller, const Options& options,
                                          const Policy& policy, Profile profile,
                                          const std::function<bool(const std::string&)>& visible);

// Shell patterns with * only, as in "SLURM_*".
bool glob_matches(const std::string& pattern, const std::string& text);

}  // namespace rootlet
