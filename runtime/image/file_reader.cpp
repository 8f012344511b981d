// SPDX-License-Identifier: MIT
#include "runtime/image/file_reader.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/image/crew.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/image/workspace.hpp"

extern "C" ssize_t sqfs_pread(int fd, void* buffer, std::size_t count, off_t offset);

namespace rootlet::image {
namespace {

char zeros[128u << 10];  // never written, so that it takes no memory

bool is_raw(const BlockAddress& block) {
  bool compressed = false;
  std::uint32_t stored = 0;
  sqfs_data_header(block.header, &compressed, &stored);
  return !compressed && stored > 0;
}

bool is_hole(const BlockAddress& block) { return block.header == 0; }

std::uint32_t stored_size(const BlockAddress& block) {
  bool compressed = false;
  std::uint32_t stored = 0;
  sqfs_data_header(block.header, &compressed, &stored);
  return stored;
}

void add_zeros(std::size_t size, std::vector<iovec>& parts) {
  for (; size > 0; size -= parts.back().iov_len) {
    parts.push_back({zeros, std::min(size, sizeof zeros)});
  }
}

}  // namespace

// What is left to gather of a stretch.
struct FileReader::Request {
  std::uint64_t offset;
  std::uint64_t end;
  std::size_t raw = 0;  // bytes of the workspace's answer that are taken
  Crew* crew;
  Stretch& stretch;
};

bool FileReader::gather(File& file, std::uint64_t offset, std::uint64_t end, Crew* crew,
                        Stretch& stretch) {
  const std::uint64_t block_size = fs_->sb.block_size;
  Request request{offset, end, 0, crew, stretch};
  while (request.offset < end) {
    const std::uint64_t number = request.offset / block_size;
    if (number < file.block_count) {
      const std::uint64_t window = number / FileIndex::kWindow;
      const auto blocks = index_.blocks(file, window);
      if (blocks == nullptr || !add_window(*blocks, window * FileIndex::kWindow, request)) {
        return false;
      }
    } else {
      const std::uint64_t tail = file.block_count * block_size;
      if (!file.has_tail ||
          !add_block(file.tail, file.tail_start + static_cast<std::size_t>(request.offset - tail),
                     static_cast<std::size_t>(end - request.offset), request)) {
        return false;
      }
    }
  }
  return true;
}

// As much as the window holds. `first`: the number of its first block.
bool FileReader::add_window(const Blocks& blocks, std::uint64_t first, Request& request) {
  const std::uint64_t block_size = fs_->sb.block_size;
  auto index = static_cast<std::size_t>(request.offset / block_size - first);
  if (request.crew != nullptr) {
    // What else the question asks for: another thread may begin with it now.
    const auto last =
        std::min<std::uint64_t>((request.end - 1) / block_size - first, blocks.size() - 1);
    for (std::size_t i = static_cast<std::size_t>(last); i > index; --i) {
      offer_block(blocks[i], true, *request.crew);
    }
  }
  for (; index < blocks.size() && request.offset < request.end; ++index) {
    const std::uint64_t start = request.offset - (first + index) * block_size;
    if (start >= block_size) continue;  // taken with those before it
    const auto size = static_cast<std::size_t>(
        std::min<std::uint64_t>(block_size - start, request.end - request.offset));
    if (is_hole(blocks[index])) {
      add_zeros(size, request.stretch.parts);
      request.offset += size;
    } else if (is_raw(blocks[index])) {
      if (!add_raw(blocks, index, request)) return false;
    } else if (!add_block(blocks[index], static_cast<std::size_t>(start), size, request)) {
      return false;
    }
  }
  return true;
}

bool FileReader::add_block(const BlockAddress& address, std::size_t start, std::size_t size,
                           Request& request) {
  BlockCache::Pin pin = cache_.get(address, request.crew);
  if (!pin || pin.size() < start || pin.size() - start < size) return false;
  // writev(2)'s type knows no const; nobody writes there.
  request.stretch.parts.push_back({const_cast<char*>(pin.data()) + start, size});
  if (start + size == fs_->sb.block_size) pin.is_spent();
  request.stretch.pins.push_back(std::move(pin));
  request.offset += size;
  return true;
}

// Blocks that are stored as they are lie one behind the other: all that is
// wanted of them is one read.
bool FileReader::add_raw(const Blocks& blocks, std::size_t first, Request& request) {
  const std::uint64_t block_size = fs_->sb.block_size;
  const std::uint64_t start = request.offset % block_size;
  std::size_t last = first;
  // Each holds as many bytes as it stores; only the last of a file is shorter,
  // and no reader asks beyond the file's size.
  while (stored_size(blocks[last]) == block_size && last + 1 < blocks.size() &&
         is_raw(blocks[last + 1])) {
    ++last;
  }
  const std::uint64_t held = (last - first) * block_size + stored_size(blocks[last]);
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(
      (last - first + 1) * block_size - start, request.end - request.offset));
  const std::uint64_t from = blocks[first].at + start;
  if (start + size > held || stored_size(blocks[last]) > block_size || from > fs_->sb.bytes_used ||
      size > fs_->sb.bytes_used - from) {
    return false;
  }
  char* room = Workspace::mine().answer.get(request.raw +
                                            static_cast<std::size_t>(request.end - request.offset));
  if (room == nullptr) return false;
  const auto at = static_cast<off_t>(fs_->offset + from);
  if (sqfs_pread(fs_->fd, room + request.raw, size, at) != static_cast<ssize_t>(size)) return false;
  request.stretch.parts.push_back({room + request.raw, size});
  request.raw += size;
  request.offset += size;
  return true;
}

bool FileReader::read(File& file, std::uint64_t offset, std::size_t size, char* out) {
  Stretch stretch;
  if (!gather(file, offset, offset + size, nullptr, stretch)) return false;
  for (const iovec& part : stretch.parts) {
    std::memcpy(out, part.iov_base, part.iov_len);
    out += part.iov_len;
  }
  return true;
}

void FileReader::release() {
  cache_.release();
  index_.release();
}

}  // namespace rootlet::image
