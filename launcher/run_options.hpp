// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/options.hpp"

namespace rootlet {

// `rootlet run [OPTIONS] IMAGE [ARG]...`: the options in any order up to the
// IMAGE, --NAME=VALUE or --NAME VALUE, with nsroot's and Apptainer's spellings
// of them; what follows the IMAGE is the tool's, byte for byte.
struct RunLine {
  Options options;
  std::string image;
  std::vector<std::string> arguments;
};
// `base`: what weaker sources said (configuration.hpp).
Result<RunLine> parse_run(const std::vector<std::string>& words, Options base = {});

}  // namespace rootlet
