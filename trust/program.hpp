// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::trust {

// A program of the host that does a part of the work: gpg, gpgv, zsync, curl.
struct Program {
  std::string path;
  std::vector<std::string> arguments;
  std::string input;            // its stdin
  std::vector<int> shared;      // descriptors that it may use, by their numbers
  std::string directory;        // where it runs; empty: here
  std::uint64_t largest = 0;    // the longest file that it may write, in bytes; 0: any
  bool shows_progress = false;  // its stdout and stderr go to our stderr
  // Asked now and then while it runs; true: it is killed.
  std::function<bool(pid_t)> is_stuck;
};

struct ProgramEnd {
  int status = 0;  // its exit status; 128 + N when signal N ended it
  bool was_stuck = false;
  std::string out, err;
};

// Runs it to its end; it dies with us. It gets the caller's environment, with
// messages in English, and of our descriptors only those named.
Result<ProgramEnd> run_program(const Program& program);

// /usr/bin/NAME or /bin/NAME, root's; else what PATH finds. `package`: Debian's
// name of what brings it, for the hint.
Result<std::string> find_program(const std::string& name, const std::string& package);

// A nameless file in memory that holds these bytes, for a program that wants a
// path: "/proc/self/fd/N".
Result<int> memory_file(const std::string& bytes);

}  // namespace rootlet::trust
