// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::learn {

// A file that is there whole or not at all: written beside its place and renamed.
Status write_output(const std::string& file, const std::string& text);

// A FIFO, a terminal, /dev/stdout: written as it is, and nothing is there before.
bool is_no_file(const std::string& file);

// That it can be written there: said before a run of hours, not after.
Status check_output(const std::string& file);

// What --fold names, as rules name it: "data" is $CWD and $BIND.
std::vector<std::string> places_of(const std::vector<std::string>& folds);

}  // namespace rootlet::learn
