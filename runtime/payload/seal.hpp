// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/payload/payload.hpp"

namespace rootlet {

// What follows a sealed squashfs: one page that says what its bytes were when
// it was made, and the tree of hashes that lets any part of them be checked
// without reading the rest. Hashes, tree and digest are those of fs-verity
// (kernel: Documentation/filesystems/fsverity.rst): `fsverity digest
// --block-size=16384` of the squashfs prints the same.
//
// The page lies at the first multiple of 4096 bytes behind the squashfs,
// counted from the squashfs's own beginning, so that a jar may hold it anywhere:
//
//     0  magic (16)              64  fs-verity's descriptor (256)
//    16  bytes of the tree (8)  320  bytes of the signature (4)
//    32  digest (32)            324  signature, a minisign text, or nothing
//
// and the tree follows it, the level of the root first. Numbers are little-endian.
struct Seal {
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kSignatureMost = kPage - 324;
  static constexpr unsigned kBlockLog = 14;  // of what `build` makes

  // A tree over `length` bytes in blocks of 2^block_log.
  static Seal over(std::uint64_t length, unsigned block_log = kBlockLog);

  std::uint64_t length = 0;  // of the squashfs, in bytes
  unsigned block_log = kBlockLog;
  Sha256Digest root{};
  Sha256Digest digest{};  // of the descriptor: the image's name among images
  std::string signature;  // over the digest; empty: none

  std::uint64_t block_size() const { return std::uint64_t{1} << block_log; }
  std::uint64_t hashes_per_block() const { return block_size() / root.size(); }

  // Of each level, from the one over the data up, the number of its blocks.
  // Data of one block has no level: its hash is the root.
  struct Level {
    std::uint64_t first = 0;  // its first block, counted from the tree's beginning
    std::uint64_t blocks = 0;
  };
  std::vector<Level> levels;
  std::uint64_t tree_bytes() const;

  // Computes `digest` of `length`, `block_log` and `root`.
  void name_it();
  // The page in front of the tree.
  std::string page() const;
};

// "sha256:" and the digest in hexadecimal.
std::string seal_text(const Sha256Digest& digest);

// Where the seal of a squashfs has its page, in bytes from its file's start.
std::uint64_t seal_offset(const Payload& payload);

// The seal of a squashfs, or nothing where none follows it. Errors: it cannot
// be read, it is damaged, or it is another image's.
Result<std::optional<Seal>> read_seal(const Payload& payload, const std::string& name);

}  // namespace rootlet
