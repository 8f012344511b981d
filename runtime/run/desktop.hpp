// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/run/make_plan.hpp"

namespace rootlet {

// gui: the sockets by which a program shows windows and talks to the session:
// X11, Wayland, the session bus. An error where the caller has none of them.
Status add_desktop(std::vector<sandbox::Place>& places, const Options& options,
                   const Caller& caller);

// The variables that tell a program where they are.
std::vector<std::string> desktop_variables(const Caller& caller);

}  // namespace rootlet
