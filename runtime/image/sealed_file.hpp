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
  // Blocks that were found good and are likely to be asked for again: those
  // that a read used a part of, and behind them those of the tree. All
  // together 512 KiB, of blocks of 16 KiB.
  static constexpr std::size_t kKept = 16;

  Block new_block() const;
  std::uint64_t place_of(const Address& address) const;
  std::size_t size_of(const Address& address) const;
  Kept& room_for(const Address& address);
  bool is_kept(const Address& address, std::size_t from, std::span<std::uint8_t> out);
  void keep(const Address& address, const std::uint8_t* block);
  bool expected(const Address& address, Sha256Digest& digest, std::uint64_t& bad);
  bool is(const Address& address, const Sha256Digest& digest, std::uint64_t& bad);
  bool read_run(std::span<std::uint8_t> out, std::uint64_t at, std::uint64_t& bad);
  bool read_part(const Address& address, std::size_t from, std::span<std::uint8_t> out,
                 std::uint64_t& bad);

  int fd_;
  std::uint64_t offset_;
  std::uint64_t tree_;  // where it begins in the file
  Seal seal_;
  os::Mutex lock_;
  Kept kept_[2 * kKept];
};

}  // namespace rootlet::image
