// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

struct sqfs;
struct sqfs_inode;

namespace rootlet::image {

// Reads regular files of an image. What is stored as it is goes from the
// image's file straight to the reader; what is compressed goes through the
// cache of decoded blocks. Where a file's blocks lie is found out once.
class FileReader {
 public:
  explicit FileReader(sqfs* fs) : fs_(fs) {}

  // Fills `out` with `size` bytes from `offset`, which lie inside the file.
  // False: the image is damaged there.
  bool read(sqfs_inode& inode, std::uint64_t offset, std::size_t size, char* out);

 private:
  struct Block {
    std::uint64_t at = 0;      // bytes from the image's start
    std::uint32_t stored = 0;  // bytes in the image; 0: a hole
    std::uint32_t header = 0;  // as squashfs has it
    bool raw = false;
  };
  using Blocks = std::vector<Block>;

  const Blocks* blocks_of(sqfs_inode& inode);
  bool find_block(sqfs_inode& inode, std::uint64_t offset, Block& block);
  bool read_raw(const Blocks& blocks, std::size_t first, std::uint64_t offset, std::size_t size,
                char* out);
  bool copy_block(const Block& block, std::size_t offset, std::size_t size, char* out);
  bool copy_tail(sqfs_inode& inode, std::size_t offset, std::size_t size, char* out);

  sqfs* fs_;
  std::unordered_map<std::uint32_t, Blocks> known_;  // by inode number
  std::size_t known_blocks_ = 0;
};

}  // namespace rootlet::image
