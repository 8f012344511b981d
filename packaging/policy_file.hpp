// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// Reads rootlet.toml. Unknown keys and values of a wrong type are errors that
// name the key, its line and, where one is near, what was perhaps meant.
Result<Policy> read_policy_file(const std::string& path);
Result<Policy> parse_policy(const std::string& text, const std::string& name);

// The same policy as rootlet.toml, for images built without one.
std::string policy_to_toml(const Policy& policy);

// The nearest of `known` to a mistyped word, or empty.
std::string suggest(const std::string& word, const std::vector<std::string>& known);

}  // namespace rootlet::packaging
