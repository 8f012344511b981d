// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/log.hpp"
#include "runtime/run/caller.hpp"
#include "runtime/run/reach.hpp"

namespace rootlet {

// The images that a policy names in [data], found and opened, each to be shown
// at its path. One that is required and cannot be found ends the run, with
// every place that was looked at and why; another one is left out. Where the
// user attaches something at the same path, that is what is shown.
Result<std::vector<RunImage>> open_named_data(const Options& options, const Policy& policy,
                                              const Caller& caller, const std::string& image_file,
                                              const Log& log);

}  // namespace rootlet
