// SPDX-License-Identifier: MIT
#include "runtime/payload/seal.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "packaging/seal_image.hpp"
#include "runtime/image/sealed_file.hpp"
#include "runtime/os/fd.hpp"

using rootlet::Payload;
using rootlet::Seal;

namespace {

// `size` bytes at `offset` of a file in memory, sealed.
struct Made {
  rootlet::os::Fd file;
  Payload payload;
  std::vector<std::uint8_t> bytes;
  Seal seal;
};

Made make(std::uint64_t size, std::uint64_t offset) {
  Made made;
  made.file = rootlet::os::Fd(::memfd_create("image", MFD_CLOEXEC));
  made.payload = {made.file.get(), offset, size};
  made.bytes.resize(size);
  for (std::size_t i = 0; i < size; ++i) {
    made.bytes[i] = static_cast<std::uint8_t>(i * 31 + (i >> 9) + (i >> 17));
  }
  REQUIRE(::pwrite(made.file.get(), made.bytes.data(), size, static_cast<off_t>(offset)) ==
          static_cast<ssize_t>(size));
  auto sealed = rootlet::packaging::seal_image(made.payload, "image", 2);
  REQUIRE(sealed.ok());
  made.seal = sealed.value();
  return made;
}

}  // namespace

TEST_CASE("a seal is read as it was written, wherever the image lies") {
  for (const std::uint64_t offset : {0u, 4096u, 4097u}) {
    for (const std::uint64_t size : {1u, 4095u, 4096u, 16384u, 16385u, 10u << 20}) {
      CAPTURE(offset, size);
      const Made made = make(size, offset);
      const auto read = rootlet::read_seal(made.payload, "image");
      REQUIRE(read.ok());
      REQUIRE(read.value().has_value());
      CHECK(read.value()->digest == made.seal.digest);
      CHECK(read.value()->root == made.seal.root);
      CHECK(read.value()->levels.size() == made.seal.levels.size());
    }
  }
}

TEST_CASE("the tree of a seal has as many levels as its data needs") {
  CHECK(Seal::over(0).levels.empty());
  CHECK(Seal::over(16384).levels.empty());
  CHECK(Seal::over(16385).levels.size() == 1);
  CHECK(Seal::over(512ull << 14).levels.size() == 1);
  CHECK(Seal::over((512ull << 14) + 1).levels.size() == 2);
  const Seal large = Seal::over(100ull << 30);  // 6,553,600 blocks
  REQUIRE(large.levels.size() == 3);
  CHECK(large.levels[0].blocks == 12800);
  CHECK(large.levels[0].first == 26);
  CHECK(large.levels[2].first == 0);
  CHECK(large.tree_bytes() == (12800ull + 25 + 1) << 14);
}

TEST_CASE("reads of a sealed file give what was sealed, at any place and length") {
  const Made made = make((9u << 20) + 777, 4097);
  rootlet::image::SealedFile file(made.payload, made.seal);
  std::vector<std::uint8_t> out(300000);
  std::uint64_t bad = 0;
  for (std::uint64_t at = 0; at < made.bytes.size(); at += 77777) {
    for (const std::size_t size : {1u, 100u, 16384u, 20000u, 32768u, 300000u}) {
      const ssize_t got = file.read(out.data(), size, static_cast<off_t>(4097 + at), bad);
      const std::size_t wanted = std::min<std::uint64_t>(size, made.bytes.size() - at);
      REQUIRE(got == static_cast<ssize_t>(wanted));
      REQUIRE(std::memcmp(out.data(), made.bytes.data() + at, wanted) == 0);
    }
  }
  CHECK(file.read(out.data(), 10, static_cast<off_t>(4097 + made.bytes.size()), bad) == 0);
}

TEST_CASE("a changed byte of data or tree fails each read that it could change, and no other") {
  const Made made = make(20u << 20, 0);  // 1,280 blocks, two levels
  const std::uint64_t tree = rootlet::seal_offset(made.payload) + Seal::kPage;
  const auto flip = [&](std::uint64_t at) {
    char byte = 0;
    REQUIRE(::pread(made.file.get(), &byte, 1, static_cast<off_t>(at)) == 1);
    byte = static_cast<char>(byte ^ 4);
    REQUIRE(::pwrite(made.file.get(), &byte, 1, static_cast<off_t>(at)) == 1);
  };
  const auto readable = [&](std::uint64_t at) {
    rootlet::image::SealedFile file(made.payload, made.seal);
    char bytes[40000];
    std::uint64_t bad = 0;
    return file.read(bytes, sizeof bytes, static_cast<off_t>(at), bad) > 0;
  };
  flip(5u << 20);
  CHECK_FALSE(readable((5u << 20) - 20000));
  CHECK_FALSE(readable((5u << 20) + 16000));
  CHECK(readable((5u << 20) + 16384));
  flip(5u << 20);
  CHECK(readable(5u << 20));

  const std::uint64_t leaves = tree + (made.seal.levels[0].first << Seal::kBlockLog);
  flip(leaves + 5);  // of the first 512 blocks' hashes: 8 MiB of data
  CHECK_FALSE(readable(100));
  CHECK_FALSE(readable((8u << 20) - 1));
  CHECK(readable(8u << 20));
  flip(leaves + 5);
  flip(tree + 5);  // the top: all of it
  CHECK_FALSE(readable(100));
  CHECK_FALSE(readable(15u << 20));
}

TEST_CASE("a seal whose page lies is refused") {
  const Made made = make(100000, 0);
  const auto page = static_cast<off_t>(rootlet::seal_offset(made.payload));
  const std::string sound = made.seal.page();
  for (std::size_t at = 16; at < 324; ++at) {
    // Nothing, and a length of the signature that is possible.
    const bool unused = at >= 24 && at < 32;
    std::string wrong = sound;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x40);
    REQUIRE(::pwrite(made.file.get(), wrong.data(), wrong.size(), page) ==
            static_cast<ssize_t>(wrong.size()));
    CAPTURE(at);
    CHECK(rootlet::read_seal(made.payload, "image").ok() == (unused || at == 320));
  }
}
