// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/options.hpp"

namespace rootlet {

// nsroot's command line: its options, bundled or long, up to NEWROOT; what
// follows is the command's, byte for byte. --rootlet-NAME[=VALUE] beside them
// sets anything else of a run.
struct ChrootLine {
  Options options;
  std::string root = ".";
  std::vector<std::string> command;  // empty: a shell
  std::vector<std::string> notes;    // what the user must know
  bool help = false;
};
Result<ChrootLine> parse_chroot(const std::vector<std::string>& words, Options base = {});

}  // namespace rootlet
