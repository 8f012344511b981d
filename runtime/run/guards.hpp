// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/run/make_plan.hpp"

namespace rootlet {

// What of all that the plan shows writable, its binds and its root, stays
// read-only: the running file, what else the run stands on, and what the next
// run or login would execute or trust.
void add_guards(sandbox::Plan& plan, const Subject& subject, const Caller& caller,
                std::vector<std::string>& notes);

// Of the same names, those that could be made and are not there: a mount
// cannot keep them from being made.
std::vector<std::string> unguarded(const sandbox::Plan& plan, const Caller& caller);

}  // namespace rootlet
