// SPDX-License-Identifier: MIT
#include "runtime/image/sealed_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/image/overdue.hpp"

namespace rootlet::image {
namespace {

bool read_whole(int fd, std::uint8_t* out, std::size_t size, std::uint64_t offset) {
  const WaitsForFile waits;
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

std::span<SealedFile::Kept> SealedFile::kept_like(const Address& address) {
  return std::span(kept_).subspan(address.level == 0 ? 0 : kKept, kKept);
}

bool SealedFile::is_kept(const Address& address, std::size_t from, std::span<std::uint8_t> out) {
  const std::lock_guard hold(lock_);
  for (const Kept& kept : kept_like(address)) {
    if (kept.address != address) continue;
    std::memcpy(out.data(), kept.bytes.get() + from, out.size());
    return true;
  }
  return false;
}

// In the place of the one that is kept longest.
void SealedFile::keep(const Address& address, Block& block) {
  const std::lock_guard hold(lock_);
  std::size_t& next = next_[address.level == 0 ? 0 : 1];
  Kept& kept = kept_like(address)[next];
  next = (next + 1) % kKept;
  kept.bytes.swap(block);
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

bool SealedFile::read_bytes(std::span<std::uint8_t> out, std::uint64_t place, std::uint64_t& bad) {
  if (read_whole(fd_, out.data(), out.size(), place)) return true;
  bad = place;
  errno = EIO;
  return false;
}

// All of a block, into memory of its own; null where there is none, or no such block.
SealedFile::Block SealedFile::read_block(const Address& address, std::uint64_t& bad) {
  Block block(static_cast<std::uint8_t*>(std::malloc(seal_.block_size())));
  if (!block) errno = ENOMEM;
  if (block && !read_bytes({block.get(), size_of(address)}, place_of(address), bad)) block.reset();
  return block;
}

// A part of a block of the tree.
bool SealedFile::read_part(const Address& address, std::size_t from, std::span<std::uint8_t> out,
                           std::uint64_t& bad) {
  if (is_kept(address, from, out)) return true;
  Block block = read_block(address, bad);
  if (!block || !is(address, sha256({block.get(), size_of(address)}, 0), bad)) return false;
  std::memcpy(out.data(), block.get() + from, out.size());
  keep(address, block);
  return true;
}

// Two whole blocks go side by side through the processor, in little more than the
// time of one.
bool SealedFile::check(std::span<const Filled> blocks, std::uint64_t& bad) {
  const std::size_t whole = seal_.block_size();
  while (blocks.size() >= 2 && blocks[0].size == whole && blocks[1].size == whole) {
    const TwoDigests digests = sha256_of_two(blocks[0].bytes, blocks[1].bytes, whole);
    if (!is({0, blocks[0].number}, digests.first, bad)) return false;
    if (!is({0, blocks[1].number}, digests.second, bad)) return false;
    blocks = blocks.subspan(2);
  }
  for (const Filled& block : blocks) {
    const auto digest = sha256({block.bytes, block.size}, whole - block.size);
    if (!is({0, block.number}, digest, bad)) return false;
  }
  return true;
}

// What is asked for of a block at either end of a read, which does not end there.
bool SealedFile::Edge::read(SealedFile& file, std::uint64_t& bad) {
  if (part.empty() || file.is_kept(address, from, part)) return true;
  block = file.read_block(address, bad);
  return block != nullptr;
}

void SealedFile::Edge::give(SealedFile& file) {
  if (!block) return;
  std::memcpy(part.data(), block.get() + from, part.size());
  file.keep(address, block);
}

// At most kAtOnce blocks. Whole blocks go straight to where they are wanted.
bool SealedFile::read_some(std::span<std::uint8_t> out, std::uint64_t at, std::uint64_t& bad) {
  const std::size_t whole = seal_.block_size();
  Edge head, tail;
  const std::size_t from = at & (whole - 1);
  std::uint64_t number = at >> seal_.block_log;
  if (from != 0 || out.size() < size_of({0, number})) {
    const std::size_t part = std::min(out.size(), size_of({0, number}) - from);
    head = {{0, number}, from, out.first(part), {}};
    out = out.subspan(part);
    ++number;
  }
  const std::size_t over = out.size() & (whole - 1);
  const std::uint64_t last = number + (out.size() >> seal_.block_log);
  if (over != 0 && over != size_of({0, last})) {
    tail = {{0, last}, 0, out.last(over), {}};
    out = out.first(out.size() - over);
  }
  if (!head.read(*this, bad) || !tail.read(*this, bad)) return false;
  if (!out.empty() && !read_bytes(out, offset_ + (number << seal_.block_log), bad)) return false;

  Filled blocks[kAtOnce + 2];
  std::size_t count = 0;
  for (const Edge* edge : {&head, &tail}) {
    if (edge->block) {
      blocks[count++] = {edge->address.number, edge->block.get(), size_of(edge->address)};
    }
  }
  for (; !out.empty(); ++number) {
    const std::size_t size = std::min(out.size(), whole);
    blocks[count++] = {number, out.data(), size};
    out = out.subspan(size);
  }
  if (!check({blocks, count}, bad)) return false;
  head.give(*this);
  tail.give(*this);
  return true;
}

ssize_t SealedFile::read(void* buffer, std::size_t size, off_t offset, std::uint64_t& bad) {
  std::uint64_t at = static_cast<std::uint64_t>(offset) - offset_;
  if (at >= seal_.length) return 0;
  std::span out(static_cast<std::uint8_t*>(buffer),
                std::min<std::uint64_t>(size, seal_.length - at));
  const auto total = static_cast<ssize_t>(out.size());
  while (!out.empty()) {
    const std::size_t most = kAtOnce * seal_.block_size() - (at & (seal_.block_size() - 1));
    const std::size_t some = std::min(out.size(), most);
    if (!read_some(out.first(some), at, bad)) return -1;
    at += some;
    out = out.subspan(some);
  }
  return total;
}

}  // namespace rootlet::image
