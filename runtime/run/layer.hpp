// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/caller.hpp"
#include "runtime/run/options.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet {

// The layer that was asked for, as the plan names it.
sandbox::Overlay plan_layer(const Layer& layer, const std::string& memory, const Caller& caller);

// A layer shows none of the mounts below the directory that it lies over: a
// root with such is refused.
Status check_layer(const sandbox::Plan& plan);

// Opens the directory of one that persists: made 0700 if it is missing, the
// caller's, nobody else's to enter, and locked, so that no other run changes
// it meanwhile. Programs that become setuid in it stay behind its 0700.
Status open_layer(sandbox::Overlay& overlay);

}  // namespace rootlet
