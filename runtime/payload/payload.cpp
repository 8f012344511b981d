// SPDX-License-Identifier: MIT
#include "runtime/payload/payload.hpp"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace rootlet {
namespace {

constexpr std::string_view kFind = "find the image";
constexpr std::string_view kDamagedHint =
    "the file is damaged or was cut short; copy or download it again";

Error damaged(const std::string& name, std::string_view reason) {
  return plain_error(kFind, name, reason, kDamagedHint);
}

Status read_exact(int fd, void* buffer, std::size_t size, std::uint64_t offset,
                  const std::string& name) {
  auto* out = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t got = ::pread(fd, out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error(kFind, name);
    if (got == 0) return damaged(name, "the file ends too early");
    out += got;
    size -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return Done{};
}

// Reads unsigned fields of the file's own byte order.
struct Fields {
  const unsigned char* bytes;
  bool big_endian;

  std::uint64_t at(std::size_t offset, std::size_t size) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t from = big_endian ? i : size - 1 - i;
      value = (value << 8) | bytes[offset + from];
    }
    return value;
  }
};

// What differs between the two ELF classes: where the fields lie.
struct Layout {
  std::size_t header, shoff, shoff_size, shentsize, shnum;  // in the ELF header
  std::size_t section, offset, size, field_size;            // in a section header
};
constexpr Layout kLayout32{sizeof(Elf32_Ehdr),
                           offsetof(Elf32_Ehdr, e_shoff),
                           4,
                           offsetof(Elf32_Ehdr, e_shentsize),
                           offsetof(Elf32_Ehdr, e_shnum),
                           sizeof(Elf32_Shdr),
                           offsetof(Elf32_Shdr, sh_offset),
                           offsetof(Elf32_Shdr, sh_size),
                           4};
constexpr Layout kLayout64{sizeof(Elf64_Ehdr),
                           offsetof(Elf64_Ehdr, e_shoff),
                           8,
                           offsetof(Elf64_Ehdr, e_shentsize),
                           offsetof(Elf64_Ehdr, e_shnum),
                           sizeof(Elf64_Shdr),
                           offsetof(Elf64_Shdr, sh_offset),
                           offsetof(Elf64_Shdr, sh_size),
                           8};

Result<std::uint64_t> file_size(int fd, const std::string& name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error(kFind, name);
  return static_cast<std::uint64_t>(status.st_size);
}

std::uint64_t little(const unsigned char* bytes, std::size_t size) {
  return Fields{bytes, false}.at(0, size);
}

}  // namespace

Result<std::uint64_t> elf_end(int fd, const std::string& name, std::uint64_t base) {
  const std::uint64_t whole = TRY(file_size(fd, name));
  const std::uint64_t size = whole - std::min(whole, base);
  std::array<unsigned char, sizeof(Elf64_Ehdr)> header{};
  const std::size_t wanted = std::min<std::uint64_t>(header.size(), size);
  TRY(read_exact(fd, header.data(), wanted, base, name));
  if (wanted < EI_NIDENT || std::memcmp(header.data(), ELFMAG, SELFMAG) != 0) {
    return plain_error(kFind, name, "not an ELF file",
                       "an AppImage, a squashfs or a directory is wanted");
  }
  const Layout& layout = header[EI_CLASS] == ELFCLASS64 ? kLayout64 : kLayout32;
  if (wanted < layout.header) return damaged(name, "the ELF header is cut short");
  const Fields fields{header.data(), header[EI_DATA] == ELFDATA2MSB};

  const std::uint64_t table = fields.at(layout.shoff, layout.shoff_size);
  const std::uint64_t entry = fields.at(layout.shentsize, 2);
  const std::uint64_t count = fields.at(layout.shnum, 2);
  const std::uint64_t table_end = table + entry * count;
  if (table > size || table_end > size) return damaged(name, "the section table is cut short");
  if (count == 0 || entry < layout.section) return table_end;

  std::array<unsigned char, sizeof(Elf64_Shdr)> last{};
  TRY(read_exact(fd, last.data(), layout.section, base + table + entry * (count - 1), name));
  const Fields section{last.data(), fields.big_endian};
  const std::uint64_t offset = section.at(layout.offset, layout.field_size);
  const std::uint64_t length = section.at(layout.size, layout.field_size);
  if (offset > size || length > size - offset) return damaged(name, "a section is cut short");
  return std::max(table_end, offset + length);
}

Result<Superblock> read_superblock(int fd, std::uint64_t offset, const std::string& name) {
  const std::uint64_t size = TRY(file_size(fd, name));
  // The squashfs 4.0 superblock is 96 bytes, little-endian (kernel:
  // fs/squashfs/squashfs_fs.h, struct squashfs_super_block).
  std::array<unsigned char, 96> raw{};
  if (offset >= size) {
    return plain_error(kFind, name, "there is nothing behind the program",
                       "this is a bare stub, or the file was cut short");
  }
  TRY(read_exact(fd, raw.data(), std::min<std::uint64_t>(raw.size(), size - offset), offset, name));
  if (std::memcmp(raw.data(), "hsqs", 4) != 0) {
    return damaged(name, "no squashfs at byte " + std::to_string(offset));
  }
  if (size - offset < raw.size()) return damaged(name, "the superblock is cut short");

  Superblock block;
  block.inodes = static_cast<std::uint32_t>(little(&raw[4], 4));
  block.mkfs_time = static_cast<std::uint32_t>(little(&raw[8], 4));
  block.block_size = static_cast<std::uint32_t>(little(&raw[12], 4));
  block.fragments = static_cast<std::uint32_t>(little(&raw[16], 4));
  block.compression = static_cast<std::uint16_t>(little(&raw[20], 2));
  const auto block_log = little(&raw[22], 2);
  block.flags = static_cast<std::uint16_t>(little(&raw[24], 2));
  const auto ids = little(&raw[26], 2);
  const auto major = little(&raw[28], 2);
  const auto minor = little(&raw[30], 2);
  block.bytes_used = little(&raw[40], 8);

  if (major != 4 || minor != 0) return damaged(name, "a squashfs of another version than 4.0");
  if (block_log < 12 || block_log > 20 || block.block_size != (1u << block_log)) {
    return damaged(name, "an impossible block size");
  }
  if (block.inodes == 0 || ids == 0) return damaged(name, "a squashfs without inodes or owners");
  if (block.bytes_used < raw.size()) return damaged(name, "an impossible image size");
  if (block.bytes_used > size - offset) {
    return damaged(name, "cut short: the image needs " + std::to_string(block.bytes_used) +
                             " bytes, the file holds " + std::to_string(size - offset));
  }
  // id, xattr, inode, directory, fragment and export tables. All ones: absent,
  // which only the xattr, fragment and export tables may be.
  constexpr std::uint64_t kAbsent = ~std::uint64_t{0};
  for (std::size_t at = 48; at < raw.size(); at += 8) {
    const std::uint64_t table = little(&raw[at], 8);
    const bool optional = at == 56 || at == 80 || at == 88;
    if (table == kAbsent && optional) continue;
    if (table < raw.size() || table > block.bytes_used) {
      return damaged(name, "a table lies outside the image");
    }
  }
  return block;
}

Result<Payload> find_payload(int fd, const std::string& name, std::uint64_t base) {
  const std::uint64_t offset = base + TRY(elf_end(fd, name, base));
  const Superblock block = TRY(read_superblock(fd, offset, name));
  return Payload{fd, offset, block.bytes_used};
}

Result<Payload> find_payload_in(const FileRange& part, const std::string& name) {
  char magic[4] = {};
  const ssize_t got = ::pread(part.fd, magic, sizeof magic, static_cast<off_t>(part.offset));
  Payload payload;
  if (got == 4 && part.length >= 4 && std::memcmp(magic, "hsqs", 4) == 0) {
    const Superblock block = TRY(read_superblock(part.fd, part.offset, name));
    payload = Payload{part.fd, part.offset, block.bytes_used};
  } else {
    payload = TRY(find_payload(part.fd, name, part.offset));
  }
  const std::uint64_t before = payload.offset - part.offset;
  if (before > part.length || payload.length > part.length - before) {
    return damaged(name, "the image is longer than the part of the file that holds it");
  }
  return payload;
}

}  // namespace rootlet
