// SPDX-License-Identifier: MIT
#pragma once

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <mutex>

#include "runtime/image/answers.hpp"
#include "runtime/image/squashfuse.hpp"

namespace rootlet::image {

// What the answers have in common. Each holds the library's lock while it asks
// libsquashfuse, and lets it go before it replies.

inline Answers& answers(fuse_req_t request) {
  return *static_cast<Answers*>(fuse_req_userdata(request));
}

// With the lock held. None of them returns when the image is damaged.
sqfs_inode get_inode(const Answers& a, fuse_ino_t node);
fuse_entry_param to_entry(const Answers& a, sqfs_inode_id id);

sqfs_inode_id to_inode(const Answers& a, fuse_ino_t node);

// The answers that fill a file of their own.
void readdir(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*);
void readdirplus(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                 fuse_file_info*);
void getxattr(fuse_req_t request, fuse_ino_t node, const char* name, std::size_t room);
void listxattr(fuse_req_t request, fuse_ino_t node, std::size_t room);

}  // namespace rootlet::image
