// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace rootlet {

// One of the patterns matches the path, or one of the directories that it lies
// in. "*" stands for anything, "/" too. Without patterns all is wanted.
bool is_wanted(const std::vector<std::string>& patterns, const std::string& path);

}  // namespace rootlet
