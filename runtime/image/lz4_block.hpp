// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace rootlet::image {

// Decodes one LZ4 block ("LZ4 Block Format Description", lz4 1.9): sequences of
// literals and of matches that reach back at most 64 KiB. Nothing outside of
// the two spans is read or written, whatever the input says. Gives the number
// of bytes written; none when the input is damaged or does not fit.
//
// Ours, and not liblz4's, for its size: that library is one object of 54 KB,
// compressors included, in a stub of at most 1 MiB (decision 0025).
std::optional<std::size_t> decode_lz4_block(std::span<const std::uint8_t> in,
                                            std::span<std::uint8_t> out);

}  // namespace rootlet::image
