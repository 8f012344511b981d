// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace rootlet::packaging {

// How far a step of the build is. A step begins when `what` changes.
struct Progress {
  std::string what;                   // "fetch packages", "pack"
  std::uint64_t done = 0, total = 0;  // total 0: not known
  bool bytes = true;                  // else a count
  std::string subject = {};           // what it is at: a package, a layer; may be empty
};

// Called often, from the thread that builds; empty: nobody looks.
using Report = std::function<void(const Progress&)>;

}  // namespace rootlet::packaging
