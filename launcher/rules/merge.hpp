// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/rules/rules.hpp"

namespace rootlet::rules {

// One entry for all values of the last condition, where name and the other conditions
// are the same.
void add_call(std::vector<SystemCall>& calls, SystemCall call);

// What either allows. `other` keeps its runs; one whose name is taken by another run
// gets a new name. What is done with the rest is as `into` says.
void merge(Rules& into, Rules other);

// "2", or the next that no run has.
std::string free_name(const Rules& rules, const std::string& wanted);

}  // namespace rootlet::rules
