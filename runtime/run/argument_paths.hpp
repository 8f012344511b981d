// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/run/make_plan.hpp"

// Host paths among the tool's arguments. Guessed: an argument, or what follows
// its first "=", is a path if the host has such a file, or has the directory in
// which it would be made. Of many arguments the first 256 are looked at.
namespace rootlet {

// The directories of existing ones, symlinks resolved too: for bind-args.
std::vector<std::string> directories_of_arguments(const std::vector<std::string>& arguments,
                                                  const Caller& caller);

// One line about those that the tool will not find, with the command that
// shows them; empty where there are none.
std::string invisible_arguments(const Subject& subject, const Caller& caller,
                                const sandbox::Plan& plan);

// A host path is shown inside, at its own name.
bool shows(const std::vector<sandbox::Place>& places, const std::string& path);

}  // namespace rootlet
