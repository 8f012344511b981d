// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/tree.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// What the records of an environment (conda-meta/) say of the tool. PREFIX is
// its path inside; NAME the environment's.
Policy describe_environment(const Tree& files, const std::string& prefix, const std::string& name,
                            std::vector<std::string>& notes);

}  // namespace rootlet::packaging
