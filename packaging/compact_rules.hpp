// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace rootlet::packaging {

// What a run enforces of a file of rules, as JSON without blanks: where each entry
// came from is left out. Read once by the reader that every run will use, so that
// what it would refuse is refused here.
Result<std::string> compact_rules(const std::string& file);

}  // namespace rootlet::packaging
