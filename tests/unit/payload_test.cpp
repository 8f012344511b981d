// SPDX-License-Identifier: MIT
#include "runtime/payload/payload.hpp"

#include <elf.h>
#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "runtime/os/fd.hpp"
#include "tests/support/temp_dir.hpp"

using namespace rootlet;
using Catch::Matchers::Contains;
using test::TempDir;

namespace {

template <typename T>
void set(std::string& bytes, std::size_t at, T value, bool big = false) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    const std::size_t to = big ? sizeof value - 1 - i : i;
    bytes[at + to] = static_cast<char>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xff);
  }
}

// An ELF file of 4096 bytes whose section table of two entries is the last.
std::string elf64(bool big = false) {
  std::string elf(4096, '\0');
  elf.replace(0, 4, ELFMAG);
  elf[EI_CLASS] = ELFCLASS64;
  elf[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
  set<std::uint64_t>(elf, offsetof(Elf64_Ehdr, e_shoff), 4096 - 128, big);
  set<std::uint16_t>(elf, offsetof(Elf64_Ehdr, e_shentsize), 64, big);
  set<std::uint16_t>(elf, offsetof(Elf64_Ehdr, e_shnum), 2, big);
  return elf;
}

std::string elf32(bool big = false) {
  std::string elf(4096, '\0');
  elf.replace(0, 4, ELFMAG);
  elf[EI_CLASS] = ELFCLASS32;
  elf[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
  set<std::uint32_t>(elf, offsetof(Elf32_Ehdr, e_shoff), 4096 - 80, big);
  set<std::uint16_t>(elf, offsetof(Elf32_Ehdr, e_shentsize), 40, big);
  set<std::uint16_t>(elf, offsetof(Elf32_Ehdr, e_shnum), 2, big);
  return elf;
}

std::string superblock() {
  std::string block(4096, '\0');
  block.replace(0, 4, "hsqs");
  set<std::uint32_t>(block, 4, 7);
  set<std::uint32_t>(block, 12, 131072);
  set<std::uint16_t>(block, 20, 6);
  set<std::uint16_t>(block, 22, 17);
  set<std::uint16_t>(block, 26, 1);
  set<std::uint16_t>(block, 28, 4);
  set<std::uint64_t>(block, 40, 2000);
  for (std::size_t at = 48; at < 96; at += 8) set<std::uint64_t>(block, at, 1000);
  return block;
}

struct File {
  explicit File(const std::string& bytes)
      : path(dir.write("file", bytes)), fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  TempDir dir;
  std::string path;
  os::Fd fd;
};

Result<std::uint64_t> end_of(const std::string& bytes) {
  const File file(bytes);
  return elf_end(file.fd.get(), "x");
}

std::string block_fault(const std::string& bytes) {
  const File file(bytes);
  const auto block = read_superblock(file.fd.get(), 0, "x");
  return block.ok() ? "" : block.error().message();
}

}  // namespace

TEST_CASE("the payload begins behind the section table, in every ELF class and byte order") {
  for (const std::string& elf : {elf64(), elf64(true), elf32(), elf32(true)}) {
    CHECK(end_of(elf).value() == 4096);
    CHECK(end_of(elf + "more").value() == 4096);
  }
}

TEST_CASE("the payload begins behind the last section where that ends later") {
  std::string elf = elf64() + std::string(1000, 's');
  const std::size_t last = 4096 - 64;
  set<std::uint64_t>(elf, last + offsetof(Elf64_Shdr, sh_offset), 4096);
  set<std::uint64_t>(elf, last + offsetof(Elf64_Shdr, sh_size), 1000);
  CHECK(end_of(elf).value() == 5096);
}

TEST_CASE("an ELF file cut before its end is refused, at every length") {
  for (const std::string& elf : {elf64(), elf32()}) {
    for (std::size_t size = 0; size < elf.size(); size += 7) {
      INFO(size);
      CHECK_FALSE(end_of(elf.substr(0, size)).ok());
    }
  }
}

TEST_CASE("section numbers that point outside the file are refused") {
  std::string elf = elf64();
  set<std::uint64_t>(elf, offsetof(Elf64_Ehdr, e_shoff), ~std::uint64_t{0} - 10);
  CHECK_FALSE(end_of(elf).ok());
  elf = elf64();
  set<std::uint64_t>(elf, 4096 - 64 + offsetof(Elf64_Shdr, sh_offset), 10);
  set<std::uint64_t>(elf, 4096 - 64 + offsetof(Elf64_Shdr, sh_size), ~std::uint64_t{0} - 5);
  CHECK_FALSE(end_of(elf).ok());
}

TEST_CASE("what is no ELF file is refused by name") {
  CHECK_THAT(end_of("#!/bin/sh\necho this is a script\n").error().message(),
             Contains("x: not an ELF file"));
}

TEST_CASE("a good superblock is read") {
  const File file(superblock());
  const auto block = read_superblock(file.fd.get(), 0, "x");
  REQUIRE(block.ok());
  CHECK((block.value().block_size == 131072 && block.value().compression == 6));
  CHECK((block.value().bytes_used == 2000 && block.value().inodes == 7));
}

TEST_CASE("each impossible field of a superblock is refused") {
  const auto with = [](std::size_t at, auto value) {
    std::string block = superblock();
    set(block, at, value);
    return block_fault(block);
  };
  CHECK(block_fault(superblock()) == "");
  CHECK_THAT(with(0, std::uint32_t{0}), Contains("no squashfs at byte 0"));
  CHECK_THAT(with(4, std::uint32_t{0}), Contains("without inodes"));
  CHECK_THAT(with(12, std::uint32_t{0}), Contains("block size"));
  CHECK_THAT(with(22, std::uint16_t{40}), Contains("block size"));
  CHECK_THAT(with(26, std::uint16_t{0}), Contains("owners"));
  CHECK_THAT(with(28, std::uint16_t{3}), Contains("version"));
  CHECK_THAT(with(40, std::uint64_t{5000}), Contains("cut short: the image needs 5000 bytes"));
  CHECK_THAT(with(40, std::uint64_t{50}), Contains("impossible image size"));
  for (std::size_t at = 48; at < 96; at += 8) {
    CHECK_THAT(with(at, std::uint64_t{3000}), Contains("table lies outside"));
  }
  CHECK_THAT(with(64, ~std::uint64_t{0}), Contains("table lies outside"));
  CHECK(with(56, ~std::uint64_t{0}) == "");
}

TEST_CASE("a superblock that is cut short is refused") {
  for (std::size_t size = 0; size < 96; ++size)
    CHECK(block_fault(superblock().substr(0, size)) != "");
}

TEST_CASE("a bare stub is told from a damaged file") {
  const File file(elf64());
  CHECK_THAT(find_payload(file.fd.get(), "x").error().message(),
             Contains("nothing behind the program"));
}

TEST_CASE("offset and length of a payload are those of the file") {
  const File file(elf64() + superblock());
  const Payload payload = find_payload(file.fd.get(), "x").value();
  CHECK(payload.offset == 4096);
  CHECK(payload.length == 2000);
}
