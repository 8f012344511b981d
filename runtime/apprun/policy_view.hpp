// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/apprun/text.hpp"

namespace apprun {

// What /AppRun wants of the compiled policy (runtime/policy/policy.hpp, whose
// format this reads a second time: without a C++ library).
struct PolicyView {
  const char* name = "the image";
  const char* workdir = "/";
  bool by_argument = false;  // dispatch = "argument"
  Words entrypoint, arguments, env;
  Words commands, programs;  // name and path, side by side
};

// Reads .rootlet/policy.bin below the directory `root`. A policy that is
// missing, damaged or of another version ends the program (125).
PolicyView read_policy(int root);

}  // namespace apprun
