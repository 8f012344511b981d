// SPDX-License-Identifier: MIT
#include "runtime/image/lz4_block.hpp"

#include <lz4.h>
#include <lz4hc.h>

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using Bytes = std::vector<std::uint8_t>;

namespace {

// Text-like bytes: runs, repeats near and far, and noise, by `seed`.
Bytes content(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Bytes bytes;
  while (bytes.size() < size) {
    const unsigned kind = random() % 4;
    const std::size_t length = 1 + random() % (kind == 0 ? 700 : 40);
    if (kind == 0 || bytes.empty()) {
      bytes.insert(bytes.end(), length, static_cast<std::uint8_t>(random()));
    } else if (kind == 1) {
      for (std::size_t i = 0; i < length; ++i) bytes.push_back(static_cast<std::uint8_t>(random()));
    } else {
      const std::size_t from = random() % bytes.size();
      for (std::size_t i = 0; i < length; ++i) bytes.push_back(bytes[from + i]);
    }
  }
  bytes.resize(size);
  return bytes;
}

Bytes packed(const Bytes& plain, bool hard) {
  Bytes block(static_cast<std::size_t>(::LZ4_compressBound(static_cast<int>(plain.size()))));
  const auto* from = reinterpret_cast<const char*>(plain.data());
  auto* to = reinterpret_cast<char*>(block.data());
  const int size = hard ? ::LZ4_compress_HC(from, to, static_cast<int>(plain.size()),
                                            static_cast<int>(block.size()), LZ4HC_CLEVEL_MAX)
                        : ::LZ4_compress_default(from, to, static_cast<int>(plain.size()),
                                                 static_cast<int>(block.size()));
  block.resize(static_cast<std::size_t>(size));
  return block;
}

// The input in a buffer of just its size, so that a sanitizer sees each byte
// read beyond it; canaries around the output.
std::optional<Bytes> decoded(const Bytes& block, std::size_t room) {
  const Bytes exact(block.begin(), block.end());
  Bytes out(room + 64, 0xA5);
  const auto size = rootlet::image::decode_lz4_block(exact, std::span(out).subspan(32, room));
  for (std::size_t i = 0; i < 32; ++i) {
    REQUIRE(out[i] == 0xA5);
    REQUIRE(out[32 + room + i] == 0xA5);
  }
  if (!size) return std::nullopt;
  REQUIRE(*size <= room);
  return Bytes(out.begin() + 32, out.begin() + 32 + static_cast<std::ptrdiff_t>(*size));
}

}  // namespace

TEST_CASE("an LZ4 block decodes to what liblz4 packed") {
  for (const std::size_t size : {1u, 4u, 12u, 13u, 17u, 300u, 4096u, 70000u, 131072u, 1048576u})
    for (const bool hard : {false, true}) {
      const Bytes plain = content(size, static_cast<unsigned>(size) + hard);
      CAPTURE(size, hard);
      CHECK(decoded(packed(plain, hard), size) == plain);
      CHECK(decoded(packed(plain, hard), size + 100) == plain);
      if (size > 0) CHECK(decoded(packed(plain, hard), size - 1) == std::nullopt);
    }
}

TEST_CASE("a damaged LZ4 block gives what liblz4 gives, and never a byte outside") {
  std::mt19937 random(7);
  const Bytes plain = content(20000, 3);
  const Bytes good = packed(plain, false);
  int refused = 0;
  int both = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes bad = good;
    bad.resize(1 + random() % bad.size());
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips)
      bad[random() % bad.size()] ^= static_cast<std::uint8_t>(1u << (random() % 8));
    const auto ours = decoded(bad, plain.size());
    Bytes theirs(plain.size());
    const int size = ::LZ4_decompress_safe(
        reinterpret_cast<const char*>(bad.data()), reinterpret_cast<char*>(theirs.data()),
        static_cast<int>(bad.size()), static_cast<int>(theirs.size()));
    refused += !ours;
    // liblz4 refuses more (blocks that do not end with five literals) and
    // takes a distance of 0, which the format forbids.
    if (size < 0 || !ours) continue;
    ++both;
    theirs.resize(static_cast<std::size_t>(size));
    const bool same = *ours == theirs;
    REQUIRE(same);
  }
  CHECK(both > 100);
  CHECK(refused > 10000);
}

TEST_CASE("an LZ4 block that lies about lengths or distances is refused") {
  CHECK(decoded({}, 10) == std::nullopt);
  CHECK(decoded({0x00}, 10) == Bytes{});
  CHECK(decoded({0x10}, 10) == std::nullopt);                         // a literal that is not there
  CHECK(decoded({0xF0, 0xFF, 0xFF}, 10) == std::nullopt);             // lengths without an end
  CHECK(decoded({0x10, 'a', 0x00, 0x00, 0x00}, 10) == std::nullopt);  // distance 0
  CHECK(decoded({0x10, 'a', 0x02, 0x00, 0x00}, 10) == std::nullopt);  // before the beginning
  CHECK(decoded({0x10, 'a', 0x01}, 10) == std::nullopt);              // half a distance
  CHECK(decoded({0x1F, 'a', 0x01, 0x00, 0xFF, 0xFF, 0x00, 0x00}, 10) == std::nullopt);
  CHECK(decoded({0x10, 'a', 0x01, 0x00, 0x00}, 10) == Bytes(5, 'a'));
}
