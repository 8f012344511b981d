// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/os/fd.hpp"
#include "runtime/policy/policy.hpp"
#include "runtime/run/options.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet {

// The rules of a run, into its plan: the image's own and those of rules=FILE,
// which all hold, with $CWD, $HOME and $BIND filled in. What this kernel cannot
// hold is an error, with best-effort a note; what no kernel can is listed in the
// plan. Needs the plan's places, directory and environment.
Status choose_rules(sandbox::Plan& plan, const Options& options, const Policy& policy,
                    std::vector<std::string>& notes);

// What of the rules no kernel can hold, or this one cannot, in words.
std::vector<std::string> not_enforced(const Rules& rules);

// $CWD, $HOME and $BIND in the paths of `rules`, as the plan has them.
Status fill_in(const sandbox::Plan& plan, Rules& rules);

// For a process that joins the run later (rootlet exec RUN): the rules, and what
// their paths were filled in with, in memory that the launcher keeps open until
// the run ends. Its name in /proc/LAUNCHER/fd:
inline constexpr const char* kKeptRules = "rootlet-rules";
Result<os::Fd> keep_rules(const sandbox::Plan& plan);
// Reads it back into the plan of who joins.
Status take_kept_rules(sandbox::Plan& plan, std::string_view kept);

}  // namespace rootlet
