// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/make_plan.hpp"

namespace rootlet {

// Adds the places by which what the next login or the next run would execute
// or trust is read-only, inside whatever the plan shows writable: its binds,
// and its root where that is a directory of the host.
void add_guards(sandbox::Plan& plan, const Subject& subject, const Caller& caller,
                std::vector<std::string>& notes);

}  // namespace rootlet
