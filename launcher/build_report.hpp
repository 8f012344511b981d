// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

#include "packaging/assemble.hpp"

namespace rootlet {

// What a terminal is shown while a build goes on: one line for each step, with
// how much of it is done and how long it takes, written anew until it is over.
class BuildProgress {
 public:
  void show(const packaging::Progress& progress);
  void finish();  // the last step is over

 private:
  using Clock = std::chrono::steady_clock;

  void draw(const packaging::Progress& progress, bool over) const;

  packaging::Progress last_;
  Clock::time_point began_{}, drawn_{};
};

// What was built: notes on stderr; size, entry and isolation on stdout.
void print_summary(const packaging::BuildSummary& summary, double seconds);

}  // namespace rootlet
