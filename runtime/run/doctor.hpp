// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/run/caller.hpp"

namespace rootlet {

// What this host can do, one mechanism or knob.
struct Finding {
  enum class State {
    ok,
    missing,
    unknown  // could not be tried, because something before it is missing
  };
  std::string name;
  bool needed = false;  // by every run; of the others `otherwise` says what is done instead
  State state = State::unknown;
  Error why;  // of one that is missing: reason and hint
  std::string otherwise;
};

// Tries each for real, in children; the host is as before.
std::vector<Finding> examine_host(const Caller& caller);

// 0: a run with the defaults works here. 1: it does not. 125: that could not be told.
int verdict(const std::vector<Finding>& findings);

std::string findings_text(const std::vector<Finding>& findings);

}  // namespace rootlet
