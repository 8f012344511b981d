// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/payload/zip.hpp"

namespace rootlet {

// Where a squashfs lies: an open file, an offset, a length.
struct Payload {
  int fd = -1;               // not owned
  std::uint64_t offset = 0;  // bytes from the file's start
  std::uint64_t length = 0;  // bytes used by the squashfs, from its superblock
};

// The AppImage rule: the payload begins at max(end of the section header
// table, end of the last section). 32 and 64 bit, both byte orders. The ELF file
// begins at byte `base` of the file, and so does the count of what is returned.
// Errors: not an ELF file, cut short, a header that points outside the file.
Result<std::uint64_t> elf_end(int fd, const std::string& name, std::uint64_t base = 0);

// What a squashfs superblock says, checked against the file's size.
struct Superblock {
  std::uint64_t bytes_used = 0;
  std::uint32_t inodes = 0;
  std::uint32_t block_size = 0;
  std::uint32_t mkfs_time = 0;
  std::uint32_t fragments = 0;
  std::uint16_t compression = 0;  // 1 gzip 2 lzma 3 lzo 4 xz 5 lz4 6 zstd
  std::uint16_t flags = 0;
};

// Reads and checks the superblock at `offset`: magic, version 4.0, block size
// a power of two of at most 1 MiB, tables inside the image, image inside the
// file. The error names what is wrong.
Result<Superblock> read_superblock(int fd, std::uint64_t offset, const std::string& name);

// elf_end() and read_superblock() of an AppImage-like file that begins at `base`.
Result<Payload> find_payload(int fd, const std::string& name, std::uint64_t base = 0);

// The squashfs, or the AppImage, that makes up a part of a file.
Result<Payload> find_payload_in(const FileRange& part, const std::string& name);

}  // namespace rootlet
