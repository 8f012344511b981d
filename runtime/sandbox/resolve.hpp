// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::sandbox {

// One openat2(2) below `root` (Linux 5.6) with these flags and RESOLVE_IN_ROOT among
// `resolve`; -1 and errno. Asked again while it answers EAGAIN: a ".." on the way while
// something was mounted or renamed anywhere on the host, which is no answer.
int open_in_root(int root, const std::string& path, int flags, unsigned long long resolve = 0);

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
