// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::os {

// A mount that the calling process can see, of /proc/self/mountinfo.
struct MountEntry {
  unsigned long id = 0, parent = 0;  // numbers of mounts
  dev_t device = 0;
  std::string top;  // what of the file system is seen at the point
  std::string point;
  std::string type;
};
Result<std::vector<MountEntry>> list_mounts();

}  // namespace rootlet::os
