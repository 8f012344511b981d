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

// The same without these instructions, for tests to compare with.
Sha256Digest sha256_portable(std::span<const std::uint8_t> bytes, std::size_t zeros = 0);

}  // namespace rootlet
