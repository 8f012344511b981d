// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/caller.hpp"
#include "runtime/run/options.hpp"
#include "runtime/run/source.hpp"

// The processes of a run, and who outlives whom:
//
//   launcher          the process that the user started; in the host's namespaces
//    ├─ server        answers for the image; own session, no descriptor of the caller
//    └─ init          PID 1 of the run's namespaces; builds the root; undumpable
//        └─ tool      the packaged program; no capability, filtered
//
// Launcher gone: init sees its socket end and ends, and with it all inside.
// Init gone: the kernel ends the tool and unmounts the image; the server's
// next read says so. Server gone: the launcher ends init.
namespace rootlet {

// One run from start to end. Returns how the tool ended, as a wait status.
Result<int> launch(const Options& options, Source source, const Caller& caller,
                   const std::vector<std::string>& arguments);

}  // namespace rootlet
