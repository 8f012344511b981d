// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/server.hpp"
#include "runtime/run/enforcement.hpp"
#include "runtime/run/errands.hpp"
#include "runtime/run/refusals.hpp"
#include "runtime/sandbox/init.hpp"

namespace rootlet {

// The outer process while the tool runs: hands signals on, stops and goes on
// with the tool, sees the death of init or server at once, ends a run that is
// beyond its limits. Ends when nothing of the run is left; returns how the tool
// ended, as a wait status.
Result<int> supervise(sandbox::Init init, std::vector<image::Server> servers, Errands errands,
                      Enforcement& limits, Refusals& refusals);

// Blocks all signals; they are read from a descriptor from then on. Returns
// what the tool gets back.
CallerSignals block_signals();

}  // namespace rootlet
