// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/run/make_plan.hpp"

namespace rootlet {

// Where the host's driver libraries are shown inside; the loader is told so.
inline constexpr const char* kDriverLibraries = "/run/rootlet/drivers";

// nv and rocm: the device nodes, and read-only the libraries and programs that
// must be of the host's driver version. An error where the host has no such
// device.
Status add_gpus(std::vector<sandbox::Place>& places, const Options& options, const Caller& caller);

}  // namespace rootlet
