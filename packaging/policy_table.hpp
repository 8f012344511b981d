// SPDX-License-Identifier: MIT
#pragma once

#include <toml++/toml.h>

#include <string>

#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// A policy of a document that is already parsed; `name` is its file's, for
// errors and for the files that it names.
Result<Policy> policy_from(const toml::table& document, const std::string& name);

}  // namespace rootlet::packaging
