// SPDX-License-Identifier: MIT
#include "runtime/image/lz4_block.hpp"

#include <cstring>

namespace rootlet::image {
namespace {

constexpr std::size_t kLongest = 15;  // a nibble of 15: more length bytes follow
constexpr std::size_t kShortestMatch = 4;
constexpr std::size_t kChunk = 16;  // copied at once where both sides have room

class Lz4Block {
 public:
  Lz4Block(std::span<const std::uint8_t> in, std::span<std::uint8_t> out)
      : in_(in.data()),
        in_end_(in.data() + in.size()),
        out_begin_(out.data()),
        out_(out.data()),
        out_end_(out.data() + out.size()) {}

  std::optional<std::size_t> decode() {
    while (in_ < in_end_) {
      const std::uint8_t token = *in_++;
      if (!copy_literals(token >> 4)) return std::nullopt;
      // The last sequence has no match.
      if (in_ == in_end_) return static_cast<std::size_t>(out_ - out_begin_);
      if (!copy_match(token & 15)) return std::nullopt;
    }
    return std::nullopt;  // an empty block, or one that ends with a match
  }

 private:
  [[nodiscard]] std::size_t input_left() const { return static_cast<std::size_t>(in_end_ - in_); }
  [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(out_end_ - out_); }

  // Adds the length bytes that follow a nibble of 15. The sum is bounded by
  // 255 times the input, so it cannot wrap.
  bool read_length(std::size_t& length) {
    if (length != kLongest) return true;
    std::uint8_t more = 0;
    do {
      if (in_ == in_end_) return false;
      more = *in_++;
      length += more;
    } while (more == 255);
    return true;
  }

  bool copy_literals(std::size_t length) {
    if (!read_length(length)) return false;
    if (length > input_left() || length > room()) return false;
    if (length <= kChunk && input_left() >= kChunk && room() >= kChunk)
      std::memcpy(out_, in_, kChunk);
    else
      std::memcpy(out_, in_, length);
    in_ += length;
    out_ += length;
    return true;
  }

  bool copy_match(std::size_t length) {
    if (input_left() < 2) return false;
    const std::size_t distance = static_cast<std::size_t>(in_[0] | (in_[1] << 8));
    in_ += 2;
    if (!read_length(length)) return false;
    length += kShortestMatch;
    if (distance == 0 || distance > static_cast<std::size_t>(out_ - out_begin_)) return false;
    if (length > room()) return false;
    repeat(distance, length);
    out_ += length;
    return true;
  }

  // Source and target overlap when the match is longer than its distance: the
  // bytes just written are read again, which repeats a pattern.
  void repeat(std::size_t distance, std::size_t length) {
    const std::uint8_t* from = out_ - distance;
    if (distance >= kChunk && room() >= length + kChunk) {
      for (std::size_t at = 0; at < length; at += kChunk) std::memcpy(out_ + at, from + at, kChunk);
      return;
    }
    if (distance >= length) {
      std::memcpy(out_, from, length);
      return;
    }
    for (std::size_t at = 0; at < length; ++at) out_[at] = from[at];
  }

  const std::uint8_t* in_;
  const std::uint8_t* in_end_;
  std::uint8_t* out_begin_;
  std::uint8_t* out_;
  std::uint8_t* out_end_;
};

}  // namespace

std::optional<std::size_t> decode_lz4_block(std::span<const std::uint8_t> in,
                                            std::span<std::uint8_t> out) {
  return Lz4Block(in, out).decode();
}

}  // namespace rootlet::image
