// SPDX-License-Identifier: MIT
#include "packaging/icon.hpp"

#include <zlib.h>

#include <array>
#include <cstdint>

namespace rootlet::packaging {
namespace {

constexpr unsigned kSize = 256;
constexpr unsigned kCell = 32;  // 8 x 8 cells, the outer ones left free
constexpr unsigned kCells = kSize / kCell;

std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
  return out;
}

// length type data crc32(type data), as the PNG specification has it.
std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto* bytes = reinterpret_cast<const Bytef*>(body.data());
  const auto crc = ::crc32(0, bytes, static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body +
         big_endian(static_cast<std::uint32_t>(crc));
}

// FNV-1a: spread well enough for a picture, and the same everywhere.
std::uint64_t hash_of(const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return hash ^ (hash >> 29);
}

bool is_set(std::uint64_t hash, unsigned x, unsigned y) {
  if (x == 0 || y == 0 || x == kCells - 1 || y == kCells - 1) return false;
  const unsigned column = x < kCells / 2 ? x : kCells - 1 - x;  // mirrored
  return ((hash >> (column * 7 + y)) & 1) != 0;
}

}  // namespace

std::string make_icon(const std::string& name) {
  const std::uint64_t hash = hash_of(name);
  // Two colours: a light ground and one of the hash, never too bright.
  std::string palette = "\xf4\xf4\xf0";
  for (int i = 0; i < 3; ++i) palette += static_cast<char>((hash >> (40 + 8 * i)) % 160);

  std::string pixels;
  for (unsigned y = 0; y < kSize; ++y) {
    pixels += '\0';  // this line is not filtered
    for (unsigned x = 0; x < kSize; ++x) {
      pixels += static_cast<char>(is_set(hash, x / kCell, y / kCell));
    }
  }
  uLongf length = ::compressBound(pixels.size());
  std::string packed(length, '\0');
  // Fails only without memory or room, and compressBound() is room enough.
  ::compress2(reinterpret_cast<Bytef*>(packed.data()), &length,
              reinterpret_cast<const Bytef*>(pixels.data()), pixels.size(), 9);
  packed.resize(length);

  // 8 bits per pixel, indexed colour, no interlacing.
  const std::string header =
      big_endian(kSize) + big_endian(kSize) + std::string({'\10', '\3', '\0', '\0', '\0'});
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("PLTE", palette) +
         chunk("IDAT", packed) + chunk("IEND", "");
}

}  // namespace rootlet::packaging
