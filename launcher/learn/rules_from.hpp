// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/learn/recording.hpp"
#include "launcher/rules/rules.hpp"

namespace rootlet::learn {

// The rules that allow what a recorded run did, file by file; rules::fold() makes them
// shorter. What failed, or was refused, is not allowed by it. `name`: the run's.
rules::Rules rules_from(const Recording& recording, const std::string& name);

// A path of a run as rules name it: from $CWD, $BIND or $HOME on where it lies there.
std::string path_for_rules(const Setting& setting, const std::string& path);

// The calls of a run as entries of rules, in the same way.
std::vector<rules::SystemCall> calls_of(const Recording& recording, const std::string& run);

}  // namespace rootlet::learn
