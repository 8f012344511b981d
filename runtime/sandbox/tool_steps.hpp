// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/sandbox/plan.hpp"

// Steps of the process that becomes the tool, for tool.cpp and under_rules.cpp.
namespace rootlet::sandbox {

// As execve(2) takes them; valid as long as `texts`.
std::vector<char*> pointers(const std::vector<std::string>& texts);

// Why execve(2) failed, in terms of the image: the errno alone says "No such
// file" both for a missing program and for a missing interpreter.
Error explain(int code, const std::string& program, bool image);

// After a failure that has been explained.
[[noreturn]] void give_up(int control, Error error);

// seccomp=FILE
Status install_own_filters(const Plan& plan);

// Executes the program under the plan's rules. Nothing that this process does
// behind its filter needs more than they allow.
[[noreturn]] void start_under_rules(const Plan& plan, int control, const std::string& program);

}  // namespace rootlet::sandbox
