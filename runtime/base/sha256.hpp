// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rootlet {

using Sha256Digest = std::array<std::uint8_t, 32>;

// The SHA-256 (FIPS 180-4) of `bytes` followed by `zeros` bytes of 0. With the
// processor's own instructions where it has them: 8 times as fast, and a start
// that checks what it reads has no time for less. Ours, because libcrypto's
// static library is larger than the whole stub.
Sha256Digest sha256(std::span<const std::uint8_t> bytes, std::size_t zeros = 0);

// Of two messages of `size` bytes. Side by side they take little longer than one.
struct TwoDigests {
  Sha256Digest first, second;
};
TwoDigests sha256_of_two(const std::uint8_t* first, const std::uint8_t* second, std::size_t size);

// Of a message that comes in pieces.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const std::uint8_t> bytes);
  Sha256Digest digest();  // once

 private:
  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> rest_;  // of the last block, not yet whole
  std::uint64_t size_ = 0;
};

// The same without these instructions, for tests to compare with.
Sha256Digest sha256_portable(std::span<const std::uint8_t> bytes, std::size_t zeros = 0);

}  // namespace rootlet
