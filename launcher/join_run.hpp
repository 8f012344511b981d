// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/own_runs.hpp"
#include "runtime/run/options.hpp"

namespace rootlet {

// A command in a run that is there already: in its namespaces, root, control
// groups and limits, with no capability, under the default filter. Of the options
// `env` and `cwd` count; the environment is the tool's. Returns how
// the command ended, as a wait status.
Result<int> join_run(const HeldRun& held, const Options& options,
                     const std::vector<std::string>& command, std::vector<int> closed_streams);

}  // namespace rootlet
