// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::packaging {

// Another program that the build needs: what it is told, and what it says.
struct Command {
  std::vector<std::string> words;  // the first is looked up in PATH
  std::vector<std::string> environment;
  // Told each line that it writes, to stdout or stderr; may be empty.
  std::function<void(std::string_view line)> on_line;
};

struct CommandEnd {
  int wait_status = 0;
  std::string output;  // all that it wrote; of very much, the end

  bool ok() const { return wait_status == 0; }
};

// Runs it in / with stdin from /dev/null, in a process group of its own, which
// ends when we do. Errors: it cannot be started.
Result<CommandEnd> run_command(const Command& command);

// The first line of an output that begins with one of these, or the last line.
std::string telling_line(const std::string& output, const std::vector<std::string_view>& starts);

}  // namespace rootlet::packaging
