// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace rootlet::packaging {

// What an image lacks, and what to add. None of these keeps the checked
// programs from starting: that is an error of Check.
struct Finding {
  std::string kind;     // "library", "interpreter", "dlopen", "link", "locale", "certificates", ...
  std::string subject;  // the path inside that wants it
  std::string what;     // "needs libfoo.so.1, which the image lacks"
  std::string add;      // what to do; may be empty
};
using Findings = std::vector<Finding>;

// "SUBJECT: WHAT; ADD", a line each; of each kind no more than `most`, and then
// how many more there are.
std::vector<std::string> findings_text(const Findings& findings, std::size_t most);

}  // namespace rootlet::packaging
