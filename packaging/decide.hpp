// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/check.hpp"
#include "packaging/source.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

struct BuildRequest;

// The policy that goes into the image, and its text.
struct Decided {
  Policy policy;
  std::string toml;
};

// What the command line says, then the policy file, then the source itself.
// Of the source's own commands those that cannot start are left out, each with
// a note; entry and commands of a policy file are taken at their word here.
Result<Decided> decide_policy(const BuildRequest& request, Source& source, std::uint16_t machine);

// The program that is run when nothing else is asked for, for messages.
const std::string& first_program(const Policy& policy);

// Entry, commands and self-test, each as `build` found it.
Status check_programs(Check& check, const Policy& policy);

}  // namespace rootlet::packaging
