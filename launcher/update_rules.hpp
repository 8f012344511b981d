// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/image_trust.hpp"
#include "trust/verdict.hpp"

namespace rootlet {

// Whether one file may take the place of another: what `update` refuses unless
// it is told.
struct UpdateRules {
  bool allow_downgrade = false, allow_key_change = false;
  Verify verify = Verify::off;
};

// One side: an open file, and the signature that may lie beside it.
struct UpdateSide {
  int fd = -1;
  std::string name;                     // for messages
  std::vector<std::string> signatures;  // paths; may be missing
};

// Errors name the rule and the option that lifts it. On success, notes for the
// user: "version 1.2, was 1.1", what could not be told.
Result<std::vector<std::string>> judge_update(const UpdateSide& old, const UpdateSide& fresh,
                                              const UpdateRules& rules);

}  // namespace rootlet
