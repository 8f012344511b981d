// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet {

// A program of the host that a run cannot do without.

// Where it lies: /usr/bin or /bin, root's, and nobody else may change it. What
// PATH finds is the word of whoever set PATH. Empty: there is none.
std::string find_host_program(std::string_view name);

// Becomes it, in a child of ours, with these streams (-1: /dev/null), and of all
// other descriptors only those `kept`. It gets no variable or signal mask of ours.
struct ProgramStreams {
  int in = -1, out = -1, words = -1;
};
[[noreturn]] void become_host_program(const std::string& path,
                                      const std::vector<std::string>& arguments,
                                      const ProgramStreams& streams, std::vector<int> kept);

// Runs it to its end. Its exit status, and what it said on stderr.
struct HostProgramEnd {
  int status = 0;
  std::string words;
};
Result<HostProgramEnd> run_host_program(const std::string& path,
                                        const std::vector<std::string>& arguments);

}  // namespace rootlet
