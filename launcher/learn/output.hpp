// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::learn {

// A file that is there whole or not at all: written beside its place and renamed.
Status write_output(const std::string& file, const std::string& text);

// What --fold names, as rules name it: "data" is $CWD and $BIND.
std::vector<std::string> places_of(const std::vector<std::string>& folds);

}  // namespace rootlet::learn
