// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/source.hpp"

namespace rootlet {

// What a packaged file does instead of running its tool. All return a wait
// status; all print to stdout what a program may read, to stderr the rest.

// --appimage-NAME with its arguments. An unknown one is an error (125).
Result<int> appimage_option(const std::string& name, const std::vector<std::string>& arguments,
                            const std::string& target_appimage, const Caller& caller);

int print_help(const std::string& argv0);
int print_version();
int print_findings(const Caller& caller);  // --rootlet-doctor
Result<int> print_inspection(Source& source);

}  // namespace rootlet
