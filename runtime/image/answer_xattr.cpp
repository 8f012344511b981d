// SPDX-License-Identifier: MIT
#include <string>

#include "runtime/image/answer_parts.hpp"

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

// The value of one; empty where there is none.
std::string value_of(Answers& a, fuse_ino_t node, const char* name) {
  const std::lock_guard hold(a.reader.library());
  sqfs_inode inode = get_inode(a, node);
  std::string value(65536, '\0');
  std::size_t size = value.size();
  if (sqfs_xattr_lookup(a.fs, &inode, name, value.data(), &size) != SQFS_OK) {
    a.give_up("the image is damaged: an extended attribute cannot be read");
  }
  value.resize(size > value.size() ? 0 : size);
  return value;
}

// All names, each with its NUL.
std::string names_of(Answers& a, fuse_ino_t node) {
  const std::lock_guard hold(a.reader.library());
  sqfs_inode inode = get_inode(a, node);
  sqfs_xattr cursor;
  std::string names;
  bool sound = sqfs_xattr_open(a.fs, &inode, &cursor) == SQFS_OK;
  while (sound && cursor.remain > 0 && names.size() < 65536) {
    sound = sqfs_xattr_read(&cursor) == SQFS_OK;
    std::string name(sound ? sqfs_xattr_name_size(&cursor) : 0, '\0');
    sound = sound && sqfs_xattr_name(&cursor, name.data(), true) == SQFS_OK;
    names += name + '\0';
  }
  if (!sound) a.give_up("the image is damaged: an extended attribute cannot be read");
  return names;
}

}  // namespace

void getxattr(fuse_req_t request, fuse_ino_t node, const char* name, std::size_t room) {
  Answers& a = answers(request);
  if (!has_xattrs(a)) {
    fuse_reply_err(request, ENOSYS);
    return;
  }
  const std::string value = value_of(a, node, name);
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
  reply_sized(request, names_of(a, node), room);
}

}  // namespace rootlet::image
