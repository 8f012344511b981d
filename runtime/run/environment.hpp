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

// Takes the place of a variable of the same name.
void set_variable(std::vector<std::string>& variables, const std::string& entry);

// One of APPIMAGE, APPDIR, ARGV0, OWD ("NAME=VALUE"), unless the caller has said
// otherwise: env=NAME= leaves it out, for shells that take ARGV0 for their own (zsh).
void add_contract_variable(std::vector<std::string>& variables, const Options& options,
                           const std::string& entry);

// Tells the loader and the shell where the host's drivers are shown.
void find_drivers(std::vector<std::string>& variables);

// NAME=VALUE, one a line, as they are; "#" begins a comment where a name would.
Result<std::vector<std::string>> read_env_file(const std::string& file);

// Shell patterns with * only, as in "SLURM_*".
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace rootlet
