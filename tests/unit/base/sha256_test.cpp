// SPDX-License-Identifier: MIT
#include "runtime/base/sha256.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

using rootlet::Sha256Digest;
using Bytes = std::vector<std::uint8_t>;

namespace {

Bytes content(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
  return bytes;
}

Sha256Digest of_libcrypto(const Bytes& bytes) {
  Sha256Digest digest;
  ::SHA256(bytes.data(), bytes.size(), digest.data());
  return digest;
}

}  // namespace

TEST_CASE("a message that comes in pieces has the digest of the whole") {
  const Bytes bytes = content(1000);
  for (const std::size_t piece : {1u, 3u, 63u, 64u, 65u, 128u, 500u, 1000u}) {
    rootlet::Sha256 sum;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      sum.add({bytes.data() + at, std::min(piece, bytes.size() - at)});
    }
    REQUIRE(sum.digest() == of_libcrypto(bytes));
  }
  REQUIRE(rootlet::Sha256().digest() == of_libcrypto({}));
}

TEST_CASE("a SHA-256 is libcrypto's, with the processor's instructions and without") {
  for (std::size_t size = 0; size < 200; ++size) {
    for (const std::size_t zeros : {0u, 1u, 55u, 64u, 200u}) {
      const Bytes bytes = content(size);
      Bytes padded = bytes;
      padded.resize(size + zeros);
      const Sha256Digest wanted = of_libcrypto(padded);
      REQUIRE(rootlet::sha256(bytes, zeros) == wanted);
      REQUIRE(rootlet::sha256_portable(bytes, zeros) == wanted);
    }
  }
}

TEST_CASE("two digests side by side are those of each alone") {
  for (const std::size_t size : {0u, 63u, 64u, 65u, 1000u, 16384u}) {
    const Bytes both = content(2 * size);
    const auto digests = rootlet::sha256_of_two(both.data(), both.data() + size, size);
    CHECK(digests.first ==
          of_libcrypto(Bytes(both.begin(), both.begin() + static_cast<long>(size))));
    CHECK(digests.second ==
          of_libcrypto(Bytes(both.begin() + static_cast<long>(size), both.end())));
  }
}
