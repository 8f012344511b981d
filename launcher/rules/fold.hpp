// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/rules/rules.hpp"

namespace rootlet::rules {

// From how many distinct entries on a directory stands for all that is in it.
inline constexpr std::size_t kFoldFrom = 16;

// Shortens the paths: what lies in a directory of `asked` is that directory; so is what
// lies in one with at least kFoldFrom distinct entries that are looked at (or, apart from
// these, changed). Never "/" and never programs: a directory of programs would allow
// each of them.
void fold(Rules& rules, const std::vector<std::string>& asked);

}  // namespace rootlet::rules
