// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>

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
// An option that a verb has beside those of a run; it wins over an alias of the same
// spelling. One with a value may come more than once.
struct OwnOption {
  std::string_view spelled;  // "--output"
  std::string_view brief;    // "-o"; may be empty
  bool takes_value = false;
  std::vector<std::string> values;  // what was given; of a flag "" each time
};

// `base`: what weaker sources said (configuration.hpp).
Result<RunLine> parse_run(const std::vector<std::string>& words, Options base = {},
                          std::span<OwnOption> own = {});

}  // namespace rootlet
