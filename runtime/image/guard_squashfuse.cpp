// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/image/squashfuse.hpp"

// The bounds that libsquashfuse 0.1.105 forgets. An image is made by anyone;
// without these a directory entry of 64 KiB overruns a name on the stack
// (squashfuse issue 153), an index beyond its table reads what lies behind it
// (154), and so does a position beyond its metadata block (158). The linker
// sends the library's own calls here (--wrap, see CMakeLists.txt), which works
// wherever caller and callee are in different files of it. What it has in one
// file is not used: file.c, table.c's look-up and xattr.c's search are ours
// (file_index.cpp, below, answer_xattr.cpp).
namespace {

constexpr std::uint32_t kLongestName = SQUASHFS_NAME_LEN - 1;  // stored as the length less one
constexpr std::uint32_t kMostOfHeader = 255;                   // entries, as stored: one less
constexpr std::uint32_t kLongestTarget = 65535;  // Linux takes a page; more is a way to waste time

// The metadata block at `position`. Null: there is none. Position 0 is not only
// wrong: it is how the library's cache marks an empty slot, whose content it
// would hand out, freed or never made.
sqfs_block* block_at(sqfs* fs, sqfs_off_t position) {
  sqfs_block* block = nullptr;
  if (position < static_cast<sqfs_off_t>(sizeof(squashfs_super_block)) ||
      position >= static_cast<sqfs_off_t>(fs->sb.bytes_used)) {
    return nullptr;
  }
  return sqfs_md_cache(fs, &position, &block) == SQFS_OK ? block : nullptr;
}

// The cursor stands inside of the metadata block that it names.
bool is_inside(sqfs* fs, const sqfs_md_cursor& cursor) {
  const sqfs_block* block = block_at(fs, cursor.block);
  return block != nullptr && cursor.offset < block->size;
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
void __real_sqfs_swapin_dir_header(squashfs_dir_header* header);
void __real_sqfs_swapin_dir_index(squashfs_dir_index* index);
void __real_sqfs_swapin_symlink_inode(squashfs_symlink_inode* inode);
sqfs_err __real_sqfs_md_read(sqfs* fs, sqfs_md_cursor* cursor, void* buffer, std::size_t size);
sqfs_err __real_sqfs_inode_get(sqfs* fs, sqfs_inode* inode, sqfs_inode_id id);

// What cannot be in a sound image is cut to what fits. That makes the rest of
// the listing senseless, which the next bound or the next name shows.
void __wrap_sqfs_swapin_dir_entry(squashfs_dir_entry* entry) {
  __real_sqfs_swapin_dir_entry(entry);
  if (entry->size > kLongestName) entry->size = static_cast<__le16>(kLongestName);
}

void __wrap_sqfs_swapin_dir_header(squashfs_dir_header* header) {
  __real_sqfs_swapin_dir_header(header);
  if (header->count > kMostOfHeader) header->count = kMostOfHeader;
}

void __wrap_sqfs_swapin_dir_index(squashfs_dir_index* index) {
  __real_sqfs_swapin_dir_index(index);
  if (index->size > kLongestName) index->size = kLongestName;
}

void __wrap_sqfs_swapin_symlink_inode(squashfs_symlink_inode* inode) {
  __real_sqfs_swapin_symlink_inode(inode);
  if (inode->symlink_size > kLongestTarget) inode->symlink_size = kLongestTarget;
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
  const std::size_t position = index * table->each;
  const std::size_t within = position % SQUASHFS_METADATA_SIZE;
  const sqfs_block* block =
      block_at(fs, static_cast<sqfs_off_t>(table->blocks[position / SQUASHFS_METADATA_SIZE]));
  if (block == nullptr || within + table->each > block->size) return SQFS_ERR;
  std::memcpy(buffer, static_cast<const char*>(block->data) + within, table->each);
  return SQFS_OK;
}

}  // extern "C"
