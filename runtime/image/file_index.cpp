// SPDX-License-Identifier: MIT
#include "runtime/image/file_index.hpp"

#include <endian.h>
#include <sys/stat.h>

#include <algorithm>
#include <mutex>

#include "runtime/image/squashfuse.hpp"

namespace rootlet::image {
namespace {

// Of 16 bytes: 1 MiB for all files together.
constexpr std::size_t kKeptBlocks = 65536;
// So many blocks' room is what a file takes beside its blocks.
constexpr std::size_t kFileRoom = 16;
constexpr std::size_t kWindowsOfFile = 8;

std::uint64_t id_of(const sqfs* fs, const sqfs_md_cursor& cursor) {
  const auto block = static_cast<std::uint64_t>(cursor.block) - fs->sb.inode_table_start;
  return block << 16 | cursor.offset;
}

// What the inode table holds behind a file whose blocks were all looked at.
// Links, plain directories and empty files, of which nobody reads anything, lie between
// the files of a tree; they are passed over. 0: not known, or no file.
std::uint64_t next_file(sqfs* fs, sqfs_md_cursor cursor) {
  constexpr int kLook = 4;
  for (int i = 0; i < kLook; ++i) {
    if (cursor.block >= static_cast<sqfs_off_t>(fs->sb.directory_table_start)) return 0;
    const std::uint64_t id = id_of(fs, cursor);
    sqfs_inode inode{};
    if (sqfs_inode_get(fs, &inode, id) != SQFS_OK) return 0;
    if (S_ISREG(inode.base.mode) && inode.xtra.reg.file_size > 0) return id;
    cursor = inode.next;
    std::size_t behind = 0;
    switch (inode.base.inode_type) {
      case SQUASHFS_DIR_TYPE:
      case SQUASHFS_REG_TYPE:
      case SQUASHFS_LREG_TYPE: break;
      case SQUASHFS_SYMLINK_TYPE: behind = inode.xtra.symlink_size; break;
      default: return 0;
    }
    if (behind > 0 && sqfs_md_read(fs, &cursor, nullptr, behind) != SQFS_OK) return 0;
  }
  return 0;
}

}  // namespace

// Where the header of a window's first block stands, and where that block lies.
struct File::Place {
  sqfs_md_cursor cursor;
  std::uint64_t at;
};

FilePointer FileIndex::find(std::uint64_t id, bool& damaged) {
  damaged = false;
  {
    const std::lock_guard hold(lock_);
    const auto found = files_.find(id);
    if (found != files_.end()) return found->second;
  }
  FilePointer file;
  {
    const std::lock_guard hold(library_);
    sqfs_inode inode{};
    damaged = sqfs_inode_get(fs_, &inode, id) != SQFS_OK;
    if (damaged || !S_ISREG(inode.base.mode)) return {};
    file = make(inode);
    damaged = file == nullptr;
    if (damaged) return {};
  }
  const std::lock_guard hold(lock_);
  count(kFileRoom);
  return files_.emplace(id, std::move(file)).first->second;
}

FilePointer FileIndex::open(const sqfs_inode& inode) {
  const std::lock_guard hold(library_);
  return make(inode);
}

// With library_ held.
FilePointer FileIndex::make(const sqfs_inode& inode) {
  FilePointer file(new File);  // make_shared() brings libstdc++'s exceptions
  const auto& reg = inode.xtra.reg;
  const std::uint64_t tail = reg.file_size % fs_->sb.block_size;
  file->size = reg.file_size;
  file->has_tail = reg.frag_idx != SQUASHFS_INVALID_FRAG && tail != 0;
  file->block_count = reg.file_size / fs_->sb.block_size + (tail != 0 && !file->has_tail ? 1 : 0);
  if (file->has_tail) {
    squashfs_fragment_entry entry{};
    if (sqfs_frag_entry(fs_, &entry, reg.frag_idx) != SQFS_OK) return {};
    file->tail = {entry.start_block, entry.size};
    file->tail_start = reg.frag_off;
  }
  file->places_.push_back({inode.next, reg.start_block});
  if (file->block_count == 0) file->next_id = next_file(fs_, inode.next);
  return file;
}

std::shared_ptr<const Blocks> FileIndex::blocks(File& file, std::uint64_t window) {
  {
    const std::lock_guard hold(lock_);
    for (const File::Window& known : file.windows_) {
      if (known.number == window) return known.blocks;
    }
  }
  std::shared_ptr<const Blocks> made = make_window(file, window);
  if (made == nullptr) return made;
  const std::lock_guard hold(lock_);
  count(made->size());
  if (file.windows_.size() == kWindowsOfFile) file.windows_.erase(file.windows_.begin());
  file.windows_.push_back({window, made});
  return made;
}

std::shared_ptr<const Blocks> FileIndex::make_window(File& file, std::uint64_t window) {
  const std::lock_guard hold(library_);
  std::uint64_t at_window = std::min<std::uint64_t>(window, file.places_.size() - 1);
  for (;; ++at_window) {
    const std::uint64_t first = at_window * kWindow;
    if (first >= file.block_count) return {};
    File::Place place = file.places_[at_window];
    Blocks blocks(std::min<std::uint64_t>(file.block_count - first, kWindow));
    for (BlockAddress& block : blocks) {
      if (sqfs_md_read(fs_, &place.cursor, &block.header, sizeof block.header) != SQFS_OK) {
        return {};
      }
      block.header = le32toh(block.header);
      bool compressed = false;
      std::uint32_t stored = 0;
      sqfs_data_header(block.header, &compressed, &stored);
      if (stored == 0) block.header = 0;
      block.at = place.at;
      place.at += stored;
    }
    if (first + blocks.size() == file.block_count) file.next_id = next_file(fs_, place.cursor);
    if (at_window + 1 == file.places_.size()) file.places_.push_back(place);
    if (at_window == window) return std::shared_ptr<const Blocks>(new Blocks(std::move(blocks)));
  }
}

// With lock_ held. Forgets all rather than the oldest: finding a file anew
// costs little, and so many blocks are a tree of gigabytes.
void FileIndex::count(std::size_t more) {
  if (kept_ + more > kKeptBlocks) {
    files_.clear();
    kept_ = 0;
  }
  kept_ += more;
}

void FileIndex::release() {
  const std::lock_guard hold(lock_);
  files_.clear();
  kept_ = 0;
}

}  // namespace rootlet::image
