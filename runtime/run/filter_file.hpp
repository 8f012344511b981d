// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

// seccomp=FILE: a filter of the caller's own, on top of the default one.

// The program in the file, as seccomp_export_bpf(3) of libseccomp writes it:
// sock_filter instructions of this machine, at most BPF_MAXINSNS. An OCI profile
// (JSON, as Docker has it) is compiled where the program that runs us can.
Result<std::string> read_filter(const std::string& file);

// Makes read_filter() take profiles; the rootlet command does. The stub carries
// no compiler.
using CompileProfile = Result<std::string> (*)(const std::string& json, const std::string& file);
void compile_profiles_with(CompileProfile compile);

}  // namespace rootlet
