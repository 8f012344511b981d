// SPDX-License-Identifier: MIT
#include "runtime/image/xattrs.hpp"

#include <iterator>

#include "runtime/image/squashfuse.hpp"

namespace rootlet::image {
namespace {

constexpr std::size_t kMost = 65536;  // XATTR_SIZE_MAX and XATTR_LIST_MAX

// By type, as the format has them: libsquashfuse 0.1.105 has two of them swapped.
constexpr std::string_view kPrefixes[] = {"user.", "trusted.", "security."};

// Goes on to the next attribute of a file, and reads its name.
bool next_name(sqfs_xattr& cursor, std::string& name) {
  if (sqfs_xattr_read(&cursor) != SQFS_OK || cursor.type >= std::size(kPrefixes)) return false;
  const std::string_view prefix = kPrefixes[cursor.type];
  name.assign(prefix);
  name.resize(prefix.size() + cursor.entry.size);
  return sqfs_xattr_name(&cursor, name.data() + prefix.size(), false) == SQFS_OK;
}

}  // namespace

// Not through libsquashfuse's search, which reads every name of the same prefix
// into room for the one it looks for.
bool find_value(sqfs* fs, sqfs_inode& inode, std::string_view wanted, std::string& value) {
  sqfs_xattr cursor;
  if (sqfs_xattr_open(fs, &inode, &cursor) != SQFS_OK) return false;
  std::string name;
  while (cursor.remain > 0) {
    if (!next_name(cursor, name)) return false;
    if (name != wanted) continue;
    std::size_t size = 0;
    if (sqfs_xattr_value_size(&cursor, &size) != SQFS_OK || size > kMost) return false;
    value.resize(size);
    return size == 0 || sqfs_xattr_value(&cursor, value.data()) == SQFS_OK;
  }
  return true;
}

bool find_names(sqfs* fs, sqfs_inode& inode, std::string& names) {
  sqfs_xattr cursor;
  if (sqfs_xattr_open(fs, &inode, &cursor) != SQFS_OK) return false;
  std::string name;
  while (cursor.remain > 0 && names.size() < kMost) {
    if (!next_name(cursor, name)) return false;
    names += name + '\0';
  }
  return true;
}

}  // namespace rootlet::image
