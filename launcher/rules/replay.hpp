// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/rules/rules.hpp"

namespace rootlet::rules {

// Something that a run did and that rules would refuse, and what would allow it.
struct Refusal {
  std::string what;  // "read /etc/shadow"
  std::string line;  // of a file of rules
  std::uint64_t count = 0;
};

// What of `needed` (the rules of a run, file by file) `rules` do not allow. Order and
// names of runs do not count.
std::vector<Refusal> refusals(const Rules& rules, const Rules& needed);

}  // namespace rootlet::rules
