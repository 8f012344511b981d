// SPDX-License-Identifier: MIT
#include "runtime/image/sealed_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rootlet::image {
namespace {

bool read_whole(int fd, std::uint8_t* out, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

SealedFile::SealedFile(const Payload& payload, Seal seal)
    : fd_(payload.fd),
      offset_(payload.offset),
      tree_(seal_offset(payload) + Seal::kPage),
      seal_(std::move(seal)) {}

SealedFile::~SealedFile() = default;

SealedFile::Block SealedFile::new_block() const {
  return Block(static_cast<std::uint8_t*>(std::malloc(seal_.block_size())));
}

std::uint64_t SealedFile::place_of(const Address& address) const {
  if (address.level == 0) return offset_ + (address.number << seal_.block_log);
  return tree_ + ((seal_.levels[address.level - 1].first + address.number) << seal_.block_log);
}

// All blocks are whole but for the last one of the data.
std::size_t SealedFile::size_of(const Address& address) const {
  const std::uint64_t whole = seal_.block_size();
  if (address.level > 0) return whole;
  return std::min(whole, seal_.length - (address.number << seal_.block_log));
}

SealedFile::Kept& SealedFile::room_for(const Address& address) {
  if (address.level == 0) return kept_[address.number % kKept];
  return kept_[kKept + (address.number + address.level * 5) % kKept];
}

bool SealedFile::is_kept(const Address& address, std::size_t from, std::span<std::uint8_t> out) {
  const std::lock_guard hold(lock_);
  const Kept& kept = room_for(address);
  if (kept.address != address) return false;
  std::memcpy(out.data(), kept.bytes.get() + from, out.size());
  return true;
}

void SealedFile::keep(const Address& address, const std::uint8_t* block) {
  const std::lock_guard hold(lock_);
  Kept& kept = room_for(address);
  if (!kept.bytes) kept.bytes = new_block();
  if (!kept.bytes) return;
  std::memcpy(kept.bytes.get(), block, size_of(address));
  kept.address = address;
}

// What the block above says of one.
bool SealedFile::expected(const Address& address, Sha256Digest& digest, std::uint64_t& bad) {
  if (address.level == seal_.levels.size()) {
    digest = seal_.root;
    return true;
  }
  const std::uint64_t per_block = seal_.hashes_per_block();
  return read_part({address.level + 1, address.number / per_block},
                   address.number % per_block * digest.size(), digest, bad);
}

bool SealedFile::is(const Address& address, const Sha256Digest& digest, std::uint64_t& bad) {
  Sha256Digest wanted;
  if (!expected(address, wanted, bad)) return false;
  if (digest == wanted) return true;
  bad = place_of(address);
  errno = EIO;
  return false;
}

// A part of one block: all of it is read, checked and kept.
bool SealedFile::read_part(const Address& address, std::size_t from, std::span<std::uint8_t> out,
                           std::uint64_t& bad) {
  if (is_kept(address, from, out)) return true;
  const Block block = new_block();
  if (!block) {
    errno = ENOMEM;
    return false;
  }
  if (!read_whole(fd_, block.get(), size_of(address), place_of(address))) {
    bad = place_of(address);
    errno = EIO;
    return false;
  }
  const std::size_t size = size_of(address);
  if (!is(address, sha256({block.get(), size}, seal_.block_size() - size), bad)) return false;
  keep(address, block.get());
  std::memcpy(out.data(), block.get() + from, out.size());
  return true;
}

// Whole blocks, one behind the other, go straight to where they are wanted.
bool SealedFile::read_run(std::span<std::uint8_t> out, std::uint64_t at, std::uint64_t& bad) {
  if (!read_whole(fd_, out.data(), out.size(), offset_ + at)) {
    bad = offset_ + at;
    errno = EIO;
    return false;
  }
  const std::size_t whole = seal_.block_size();
  std::uint64_t number = at >> seal_.block_log;
  for (; out.size() >= 2 * whole; out = out.subspan(2 * whole), number += 2) {
    const TwoDigests digests = sha256_of_two(out.data(), out.data() + whole, whole);
    if (!is({0, number}, digests.first, bad) || !is({0, number + 1}, digests.second, bad)) {
      return false;
    }
  }
  return out.empty() || is({0, number}, sha256(out, whole - out.size()), bad);
}

ssize_t SealedFile::read(void* buffer, std::size_t size, off_t offset, std::uint64_t& bad) {
  std::uint64_t at = static_cast<std::uint64_t>(offset) - offset_;
  if (at >= seal_.length) return 0;
  std::span out(static_cast<std::uint8_t*>(buffer),
                std::min<std::uint64_t>(size, seal_.length - at));
  const auto total = static_cast<ssize_t>(out.size());
  const std::size_t whole = seal_.block_size();
  while (!out.empty()) {
    const Address address{0, at >> seal_.block_log};
    const std::size_t from = at & (whole - 1);
    std::size_t part = std::min(out.size(), size_of(address) - from);
    if (part < size_of(address)) {
      if (!read_part(address, from, out.first(part), bad)) return -1;
    } else {
      part = std::max(part, out.size() / whole * whole);
      if (!read_run(out.first(part), at, bad)) return -1;
    }
    at += part;
    out = out.subspan(part);
  }
  return total;
}

}  // namespace rootlet::image
