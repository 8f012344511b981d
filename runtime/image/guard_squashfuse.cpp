// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "runtime/image/squashfuse.hpp"

// The bounds that libsquashfuse 0.1.105 forgets. An image is made by anyone;
// without these a directory entry of 64 KiB overruns a name on the stack, and
// an inode or table index beyond its block reads what lies behind it. The
// linker sends the library's own calls here (--wrap, see CMakeLists.txt), which
// works wherever caller and callee are in different files of it; file.c, where
// they are not, is not used for data at all (file_reader.cpp).
namespace {

constexpr std::uint32_t kLongestName = SQUASHFS_NAME_LEN - 1;  // stored as the length less one

// The cursor stands inside of the metadata block that it names.
bool is_inside(sqfs* fs, const sqfs_md_cursor& cursor) {
  sqfs_off_t position = cursor.block;
  sqfs_block* block = nullptr;
  // A block that could not be read once is found in the cache, without content.
  return sqfs_md_cache(fs, &position, &block) == SQFS_OK && block != nullptr &&
         cursor.offset < block->size;
}

// How many entries a table of this image has.
std::size_t entries_of(const sqfs_table* table, const sqfs* fs) {
  if (table == &fs->id_table) return fs->sb.no_ids;
  if (table == &fs->frag_table) return fs->sb.fragments;
  if (table == &fs->export_table) return fs->sb.inodes;
  if (table == &fs->xattr_table) return fs->xattr_info.xattr_ids;
  return 0;
}

}  // namespace

extern "C" {

void __real_sqfs_swapin_dir_entry(squashfs_dir_entry* entry);
void __real_sqfs_swapin_dir_index(squashfs_dir_index* index);
sqfs_err __real_sqfs_md_read(sqfs* fs, sqfs_md_cursor* cursor, void* buffer, std::size_t size);
sqfs_err __real_sqfs_inode_get(sqfs* fs, sqfs_inode* inode, sqfs_inode_id id);
sqfs_err __real_sqfs_table_get(sqfs_table* table, sqfs* fs, std::size_t index, void* buffer);

// A longer name cannot be in a sound image. Cut to what fits, it makes the rest
// of the listing senseless, which the next bound or the next name shows.
void __wrap_sqfs_swapin_dir_entry(squashfs_dir_entry* entry) {
  __real_sqfs_swapin_dir_entry(entry);
  if (entry->size > kLongestName) entry->size = static_cast<__le16>(kLongestName);
}

void __wrap_sqfs_swapin_dir_index(squashfs_dir_index* index) {
  __real_sqfs_swapin_dir_index(index);
  if (index->size > kLongestName) index->size = kLongestName;
}

sqfs_err __wrap_sqfs_md_read(sqfs* fs, sqfs_md_cursor* cursor, void* buffer, std::size_t size) {
  if (size > 0 && !is_inside(fs, *cursor)) return SQFS_ERR;
  return __real_sqfs_md_read(fs, cursor, buffer, size);
}

sqfs_err __wrap_sqfs_inode_get(sqfs* fs, sqfs_inode* inode, sqfs_inode_id id) {
  sqfs_md_cursor cursor;
  sqfs_md_cursor_inode(&cursor, id, static_cast<sqfs_off_t>(fs->sb.inode_table_start));
  if (!is_inside(fs, cursor)) return SQFS_ERR;
  return __real_sqfs_inode_get(fs, inode, id);
}

sqfs_err __wrap_sqfs_table_get(sqfs_table* table, sqfs* fs, std::size_t index, void* buffer) {
  if (index >= entries_of(table, fs) || table->blocks == nullptr) return SQFS_ERR;
  return __real_sqfs_table_get(table, fs, index, buffer);
}

}  // extern "C"
