// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "runtime/base/result.hpp"

namespace rootlet::os {

// Which version of Landlock's interface the kernel has; less than 1: none
// (landlock(7), Linux 5.13).
long landlock_version();

// LANDLOCK_ACCESS_FS_* rights to one file, or to all below a directory; -1: to none.
struct FileRight {
  std::uint64_t access;
  int below;
};

// A Landlock domain with no right to files, network, signals and abstract
// sockets but these, as far as the kernel's version knows them. Where the kernel
// has no Landlock nothing happens: a caller that relies on it asks for the
// version first.
Status leave_files(std::span<const FileRight> rights);
inline Status leave_files(std::initializer_list<FileRight> rights) {
  return leave_files(std::span(rights.begin(), rights.size()));
}

}  // namespace rootlet::os
