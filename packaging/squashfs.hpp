// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "packaging/tree.hpp"

namespace rootlet::packaging {

struct SquashfsOptions {
  std::uint64_t offset = 0;  // where in the file the image begins
  std::uint32_t block_size = 128 << 10;
  unsigned level = 15;     // of zstd
  std::uint32_t time = 0;  // the image's own time stamp
  unsigned threads = 0;    // 0: one per processor; the bytes are the same
  // The files needed at start, in the order of their use: they come first in
  // the image, neither compressed nor shared with others in a fragment.
  std::vector<NodePtr> first;
  // Then these, compressed, those beside each other in one fragment that are used
  // one after the other.
  std::vector<NodePtr> next;
  // Receives the tree's digest (kDigestSize bytes), the last of all files. Null: none.
  NodePtr digest;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

struct SquashfsStats {
  std::uint64_t bytes = 0;    // of the image
  std::uint64_t content = 0;  // of the files, hard links once
  std::uint32_t inodes = 0;
};

// Writes the tree as a squashfs 4.0 with zstd into an open file. The same tree
// and options give the same bytes, whatever the number of processors.
Result<SquashfsStats> write_squashfs(const Tree& tree, int fd, const SquashfsOptions& options);

}  // namespace rootlet::packaging
