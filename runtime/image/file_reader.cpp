// SPDX-License-Identifier: MIT
#include "runtime/image/file_reader.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/image/squashfuse.hpp"

extern "C" ssize_t sqfs_pread(int fd, void* buffer, std::size_t count, off_t offset);

namespace rootlet::image {
namespace {

// 24 bytes each: 1.5 MiB for all files together. Of a file of more blocks (8 GiB
// with blocks of 128 KiB) each is found anew through libsquashfuse's index.
constexpr std::size_t kMaximumBlocks = 65536;

}  // namespace

const FileReader::Blocks* FileReader::blocks_of(sqfs_inode& inode) {
  const auto found = known_.find(inode.base.inode_number);
  if (found != known_.end()) return &found->second;
  const std::size_t count = sqfs_blocklist_count(fs_, &inode);
  if (count > kMaximumBlocks) return nullptr;

  Blocks blocks;
  blocks.reserve(count);
  sqfs_blocklist list;
  sqfs_blocklist_init(fs_, &inode, &list);
  while (list.remain > 0) {
    if (sqfs_blocklist_next(&list) != SQFS_OK) return nullptr;
    bool compressed = false;
    std::uint32_t stored = 0;
    sqfs_data_header(list.header, &compressed, &stored);
    blocks.push_back({list.block, stored, list.header, !compressed});
  }
  if (known_blocks_ + count > kMaximumBlocks) {
    known_.clear();
    known_blocks_ = 0;
  }
  known_blocks_ += count;
  return &known_.emplace(inode.base.inode_number, std::move(blocks)).first->second;
}

bool FileReader::find_block(sqfs_inode& inode, std::uint64_t offset, Block& block) {
  sqfs_blocklist list;
  if (sqfs_blockidx_blocklist(fs_, &inode, &list, static_cast<sqfs_off_t>(offset)) != SQFS_OK) {
    return false;
  }
  while (list.remain > 0) {
    if (sqfs_blocklist_next(&list) != SQFS_OK) return false;
    if (list.pos + fs_->sb.block_size <= offset) continue;
    bool compressed = false;
    sqfs_data_header(list.header, &compressed, &block.stored);
    block.at = list.block;
    block.header = list.header;
    return true;
  }
  return false;
}

bool FileReader::read(sqfs_inode& inode, std::uint64_t offset, std::size_t size, char* out) {
  const std::uint64_t block_size = fs_->sb.block_size;
  const Blocks* blocks = blocks_of(inode);
  while (size > 0) {
    const auto index = static_cast<std::size_t>(offset / block_size);
    const auto within = static_cast<std::size_t>(offset % block_size);
    std::size_t count = std::min<std::size_t>(size, block_size - within);
    bool done = false;
    if (blocks == nullptr && index < sqfs_blocklist_count(fs_, &inode)) {
      Block block;
      done = find_block(inode, offset, block) && copy_block(block, within, count, out);
    } else if (blocks == nullptr || index >= blocks->size()) {
      done = copy_tail(inode, within, count, out);
    } else if ((*blocks)[index].raw && (*blocks)[index].stored > 0) {
      // Blocks that are stored as they are lie one behind the other: all that
      // is wanted of them is one read.
      std::size_t last = index + 1;
      while (last < blocks->size() && (*blocks)[last].raw && (*blocks)[last].stored > 0) ++last;
      count = std::min<std::size_t>(size, (last - index) * block_size - within);
      done = read_raw(*blocks, index, within, count, out);
    } else {
      done = copy_block((*blocks)[index], within, count, out);
    }
    if (!done) return false;
    offset += count;
    out += count;
    size -= count;
  }
  return true;
}

bool FileReader::read_raw(const Blocks& blocks, std::size_t first, std::uint64_t offset,
                          std::size_t size, char* out) {
  // Each holds as many bytes as it stores; only the last of a file is shorter,
  // and no reader asks beyond the file's size.
  const std::size_t last =
      first + static_cast<std::size_t>((offset + size - 1) / fs_->sb.block_size);
  for (std::size_t index = first; index < last; ++index) {
    if (blocks[index].stored != fs_->sb.block_size) return false;
  }
  if (offset + size > (last - first) * std::uint64_t{fs_->sb.block_size} + blocks[last].stored) {
    return false;
  }
  const auto at = static_cast<off_t>(fs_->offset + blocks[first].at + offset);
  return sqfs_pread(fs_->fd, out, size, at) == static_cast<ssize_t>(size);
}

bool FileReader::copy_block(const Block& block, std::size_t offset, std::size_t size, char* out) {
  if (block.stored == 0) {
    std::memset(out, 0, size);
    return true;
  }
  sqfs_block* decoded = nullptr;
  if (sqfs_data_cache(fs_, &fs_->data_cache, static_cast<sqfs_off_t>(block.at), block.header,
                      &decoded) != SQFS_OK ||
      decoded->size < offset || decoded->size - offset < size) {
    return false;
  }
  std::memcpy(out, static_cast<const char*>(decoded->data) + offset, size);
  return true;
}

bool FileReader::copy_tail(sqfs_inode& inode, std::size_t offset, std::size_t size, char* out) {
  std::size_t start = 0;
  std::size_t length = 0;
  sqfs_block* decoded = nullptr;
  if (sqfs_frag_block(fs_, &inode, &start, &length, &decoded) != SQFS_OK || length < offset ||
      length - offset < size || decoded->size < start || decoded->size - start < length) {
    return false;
  }
  std::memcpy(out, static_cast<const char*>(decoded->data) + start + offset, size);
  return true;
}

}  // namespace rootlet::image
