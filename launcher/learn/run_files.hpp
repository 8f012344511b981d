// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/learn/recording.hpp"

namespace rootlet::learn {

// The host's regular files that a run read, and those that it wrote, by their paths
// on the host. One that it read and wrote is an output: what was read of it is gone.
struct RunFiles {
  std::vector<std::string> read, written;
};
RunFiles files_of(const Recording& recording);

}  // namespace rootlet::learn
