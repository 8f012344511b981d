// SPDX-License-Identifier: MIT
#include <string>

#include "runtime/image/answer_parts.hpp"
#include "runtime/image/xattrs.hpp"

// The answers about extended attributes.
namespace rootlet::image {
namespace {

bool has_xattrs(const Answers& a) { return a.fs->xattr_info.xattr_ids != 0; }

// One of the two xattr answers: the size alone where the caller asks for it,
// the bytes where they fit, else ERANGE.
void reply_sized(fuse_req_t request, const std::string& bytes, std::size_t room) {
  if (room == 0) {
    fuse_reply_xattr(request, bytes.size());
  } else if (bytes.size() > room) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, bytes.data(), bytes.size());
  }
}

[[noreturn]] void give_up(const Answers& a) {
  a.give_up("the image is damaged: an extended attribute cannot be read");
  __builtin_unreachable();
}

}  // namespace

void getxattr(fuse_req_t request, fuse_ino_t node, const char* name, std::size_t room) {
  Answers& a = answers(request);
  if (!has_xattrs(a)) {
    fuse_reply_err(request, ENOSYS);
    return;
  }
  std::string value;
  {
    const std::lock_guard hold(a.reader.library());
    sqfs_inode inode = get_inode(a, node);
    if (!find_value(a.fs, inode, name, value)) give_up(a);
  }
  if (value.empty()) {
    fuse_reply_err(request, ENODATA);
  } else {
    reply_sized(request, value, room);
  }
}

void listxattr(fuse_req_t request, fuse_ino_t node, std::size_t room) {
  Answers& a = answers(request);
  if (!has_xattrs(a)) {
    fuse_reply_err(request, ENOSYS);
    return;
  }
  std::string names;
  {
    const std::lock_guard hold(a.reader.library());
    sqfs_inode inode = get_inode(a, node);
    if (!find_names(a.fs, inode, names)) give_up(a);
  }
  reply_sized(request, names, room);
}

}  // namespace rootlet::image
