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

// What POLICY leaves open, as FROM says it: variables and options by their
// names, entry and commands only where POLICY names neither.
Policy with_blanks_filled(Policy policy, const Policy& from);

// The nearest of `known` to a mistyped word, or empty.
std::string suggest(const std::string& word, const std::vector<std::string>& known);

}  // namespace rootlet::packaging
