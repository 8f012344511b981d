// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

extern "C" std::uint64_t lzma_crc64(const std::uint8_t* bytes, std::size_t size,
                                    std::uint64_t before);

namespace {

std::uint64_t sum(const std::string& text, std::uint64_t before = 0) {
  return lzma_crc64(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), before);
}

}  // namespace

TEST_CASE("the CRC64 of xz is the one of the catalogues, and goes on where it stopped") {
  CHECK(sum("") == 0);
  CHECK(sum("123456789") == 0x995dc9bbdf1939fa);
  CHECK(sum("6789", sum("12345")) == sum("123456789"));
  CHECK(sum("123456788") != sum("123456789"));
}
