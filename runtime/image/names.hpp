// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "runtime/image/squashfuse.hpp"

namespace rootlet::image {

// The name of a directory entry is one that a directory can hold. The kernel
// takes one with a slash for an error of the disk, and an empty one too; a NUL
// would end it early; the last two are no entries of squashfs's.
inline bool is_possible(sqfs_dir_entry& entry) {
  const std::string_view name(sqfs_dentry_name(&entry), sqfs_dentry_name_size(&entry));
  return !name.empty() && name.find('/') == name.npos && name.find('\0') == name.npos &&
         name != "." && name != "..";
}

}  // namespace rootlet::image
