// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "runtime/image/block_cache.hpp"
#include "runtime/os/futex.hpp"

struct sqfs;
struct sqfs_inode;

namespace rootlet::image {

// Where a run of a file's blocks lies. A header of 0 is a hole.
using Blocks = std::vector<BlockAddress>;

// A regular file of an image: its size and where its content lies.
struct File {
  std::uint64_t size = 0;
  std::uint64_t block_count = 0;  // without the tail
  bool has_tail = false;
  BlockAddress tail;           // the fragment block that holds the tail,
  std::size_t tail_start = 0;  // and where in it
  // What the inode table holds next, which is what a walker of the tree reads
  // next: mksquashfs writes files in the order of their names. 0: not known.
  std::atomic<std::uint64_t> next_id{0};

  // How readers went about it. Guesses: any thread may overwrite them.
  std::atomic<std::uint64_t> expected{0};  // the offset that a sequential reader asks for next
  std::atomic<std::uint32_t> walked{0};    // so many files in a row were read before this one

 private:
  friend class FileIndex;
  struct Place;                // where a window's first header stands
  std::vector<Place> places_;  // found so far, one for each window
  struct Window {
    std::uint64_t number;
    std::shared_ptr<const Blocks> blocks;
  };
  std::vector<Window> windows_;  // those asked for last
};

using FilePointer = std::shared_ptr<File>;

// Finds out once where the files of an image lie, and keeps it: for all
// threads, bounded. Long files are looked at by the window, so that one of
// terabytes (a sparse one, or one made to exhaust memory) costs no more than
// what is read of it.
class FileIndex {
 public:
  static constexpr std::size_t kWindow = 4096;  // blocks

  // Whoever calls libsquashfuse holds `library`: it knows no threads.
  FileIndex(sqfs* fs, os::Mutex& library) : fs_(fs), library_(library) {}

  // The regular file of that inode; null: there is none, or it is damaged,
  // which `damaged` tells.
  FilePointer find(std::uint64_t id, bool& damaged);

  // The blocks from number `window` * kWindow on, up to a window full of them.
  // Null: they cannot be read.
  std::shared_ptr<const Blocks> blocks(File& file, std::uint64_t window);

  // A file that is not kept, for who has the inode at hand. Null: it is damaged.
  FilePointer open(const sqfs_inode& inode);

  // Forgets all.
  void release();

 private:
  FilePointer make(const sqfs_inode& inode);
  std::shared_ptr<const Blocks> make_window(File& file, std::uint64_t window);
  void count(std::size_t more);

  sqfs* fs_;
  os::Mutex& library_;
  os::Mutex lock_;  // of what follows, and of windows_ of all files; never waits for library_
  std::unordered_map<std::uint64_t, FilePointer> files_;
  std::size_t kept_ = 0;  // blocks, and as many for each file as it takes room
};

}  // namespace rootlet::image
