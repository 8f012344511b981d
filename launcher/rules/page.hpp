// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "launcher/rules/rules.hpp"

namespace rootlet::rules {

// Rules as a page to read: what the tool may do, in words, grouped by what it means.
std::string page_of(const Rules& rules);

// What only one of them says, "- " and "+ " lines in words; empty where both mean the
// same. Evidence does not count.
std::string difference(const Rules& before, const Rules& after);

}  // namespace rootlet::rules
