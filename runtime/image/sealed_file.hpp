// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "runtime/os/futex.hpp"
#include "runtime/payload/seal.hpp"

namespace rootlet::image {

// Reads of a squashfs that has a seal: no byte is given that the seal does not
// vouch for. What is read is checked where it lies, in the memory of the one
// who asked, so that a file that changes between check and use gains nothing.
// For several threads.
class SealedFile {
 public:
  SealedFile(const Payload& payload, Seal seal);
  ~SealedFile();

  const Seal& seal() const { return seal_; }

  // As pread(2), but that all of it is read, up to the end of the squashfs. -1
  // with EIO: what lies there is not what was sealed; then `bad` tells where,
  // in bytes from the beginning of the file.
  ssize_t read(void* buffer, std::size_t size, off_t offset, std::uint64_t& bad);

 private:
  // A block of the data (level 0), or of the tree (its levels from 1 up).
  struct Address {
    std::size_t level;
    std::uint64_t number;
    bool operator==(const Address&) const = default;
  };
  // Memory that may not be there: no exception, and no operator new that has one.
  struct Free {
    void operator()(std::uint8_t* bytes) const { std::free(bytes); }
  };
  using Block = std::unique_ptr<std::uint8_t[], Free>;
  struct Kept {
    Address address{~std::size_t{0}, 0};
    Block bytes;
  };
  // A block of the data, all of it in memory and not yet found good.
  struct Filled {
    std::uint64_t number;
    const std::uint8_t* bytes;
    std::size_t size;
  };
  // The block at either end of a read that wants only a part of it.
  struct Edge {
    Address address{};
    std::size_t from = 0;
    std::span<std::uint8_t> part{};
    Block block{};

    // `block` is what is still to be checked and given.
    bool read(SealedFile& file, std::uint64_t& bad);
    void give(SealedFile& file);
  };
  // Blocks that were found good and are likely to be asked for again: those
  // that a read used a part of, and behind them those of the tree. All
  // together 256 KiB, of blocks of 16 KiB: each costs a start four page faults.
  static constexpr std::size_t kKept = 8;
  static constexpr std::size_t kAtOnce = 16;

  std::uint64_t place_of(const Address& address) const;
  std::size_t size_of(const Address& address) const;
  std::span<Kept> kept_like(const Address& address);
  bool is_kept(const Address& address, std::size_t from, std::span<std::uint8_t> out);
  // `block` is then another one, or none.
  void keep(const Address& address, Block& block);
  bool expected(const Address& address, Sha256Digest& digest, std::uint64_t& bad);
  bool is(const Address& address, const Sha256Digest& digest, std::uint64_t& bad);
  bool check(std::span<const Filled> blocks, std::uint64_t& bad);
  bool read_bytes(std::span<std::uint8_t> out, std::uint64_t place, std::uint64_t& bad);
  Block read_block(const Address& address, std::uint64_t& bad);
  bool read_some(std::span<std::uint8_t> out, std::uint64_t at, std::uint64_t& bad);
  bool read_part(const Address& address, std::size_t from, std::span<std::uint8_t> out,
                 std::uint64_t& bad);

  int fd_;
  std::uint64_t offset_;
  std::uint64_t tree_;  // where it begins in the file
  Seal seal_;
  os::Mutex lock_;
  Kept kept_[2 * kKept];
  std::size_t next_[2] = {};
};

}  // namespace rootlet::image
