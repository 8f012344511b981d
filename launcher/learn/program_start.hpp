// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace rootlet::learn {

// What the kernel opens beside a program to start it; a path as the program says it,
// empty where there is none.
struct ProgramStart {
  std::string interpreter;  // "#!", execve(2): it is started instead, and may be a script too
  std::string loader;       // PT_INTERP of an ELF file
};

// From the first bytes of the program.
ProgramStart program_start(std::string_view head);

}  // namespace rootlet::learn
