// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::sandbox {

// Opens `path` as a process would whose root is `root`: absolute symlinks and
// ".." stay inside, magic links of /proc are refused.
Result<os::Fd> resolve_in_root(int root, const std::string& path, int flags);

// The first component of a path that does not exist.
struct Missing {
  os::Fd parent;            // the deepest existing directory
  std::string parent_path;  // its path inside, without symlinks
  std::string name;         // the component to make in it
  bool last = false;        // nothing follows it
};
Result<Missing> find_missing(int root, const std::string& path);

}  // namespace rootlet::sandbox
