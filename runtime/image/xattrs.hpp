// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

struct sqfs;
struct sqfs_inode;

namespace rootlet::image {

// The extended attributes of a file. False: the image is damaged there.

// The value of one; empty where there is none.
bool find_value(sqfs* fs, sqfs_inode& inode, std::string_view wanted, std::string& value);

// All names, each with its NUL.
bool find_names(sqfs* fs, sqfs_inode& inode, std::string& names);

}  // namespace rootlet::image
