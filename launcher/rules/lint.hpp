// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/rules/rules.hpp"

namespace rootlet::rules {

// Something that rules allow and that a reader should think about.
struct Remark {
  bool wide = true;  // dangerous; else only to be known
  std::string what;  // the entry, in words
  std::string why;   // what it makes possible
};

std::vector<Remark> lint(const Rules& rules);

}  // namespace rootlet::rules
