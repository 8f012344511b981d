// SPDX-License-Identifier: MIT
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/image/block_cache.hpp"
#include "runtime/image/file_index.hpp"
#include "runtime/os/futex.hpp"

struct sqfs;
struct sqfs_inode;

namespace rootlet::image {

// A stretch of a file, where it lies in memory. What is compressed lies in the
// cache of decoded blocks; what is stored as it is was read into the calling
// thread's workspace, where the next stretch will lie too.
struct Stretch {
  std::vector<iovec> parts;
  std::vector<BlockCache::Pin> pins;
};

// Reads regular files of an image, for all threads of a process.
class FileReader {
 public:
  // Keeps at most `budget` bytes of decoded blocks.
  FileReader(sqfs* fs, std::size_t budget) : fs_(fs), cache_(fs, budget), index_(fs, library_) {}

  // The regular file of that inode; null: there is none, or it is damaged,
  // which `damaged` tells.
  FilePointer find(std::uint64_t id, bool& damaged) { return index_.find(id, damaged); }

  // Bytes `offset` to `end`, which lie inside the file. False: the image is
  // damaged there. `crew`, if any, helps.
  bool gather(File& file, std::uint64_t offset, std::uint64_t end, Crew* crew, Stretch& stretch);

  // Offers the crew what a reader who was given that stretch will want next. `id`: the
  // file's inode.
  void look_ahead(File& file, std::uint64_t id, std::uint64_t offset, std::uint64_t end,
                  Crew& crew);

  // For who has the inode at hand and works through one file after the other.
  FilePointer open(const sqfs_inode& inode) { return index_.open(inode); }
  // Fills `out` with `size` bytes from `offset`, which lie inside the file.
  bool read(File& file, std::uint64_t offset, std::size_t size, char* out);

  // Gives memory back.
  void release();

  BlockCache& cache() { return cache_; }
  // Held by whoever calls libsquashfuse: it knows no threads.
  os::Mutex& library() { return library_; }

 private:
  // Walks through the image that are noticed at one time; two of one remainder hide each other.
  static constexpr std::size_t kWalkers = 61;
  struct Request;
  bool add_raw(const Blocks& blocks, std::size_t first, Request& request);
  bool add_block(const BlockAddress& address, std::size_t start, std::size_t size,
                 Request& request);
  bool add_window(const Blocks& blocks, std::uint64_t first, Request& request);
  bool offer_block(const BlockAddress& address, bool now, Crew& crew);
  void offer_file(File& file, Crew& crew);
  std::uint32_t walked_to(File& file, std::uint64_t id);

  sqfs* fs_;
  os::Mutex library_;
  BlockCache cache_;
  FileIndex index_;
  // What lies behind files that were read whole: a guess, which any thread may overwrite.
  std::atomic<std::uint64_t> likely_next_[kWalkers] = {};
};

}  // namespace rootlet::image
