// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "runtime/os/futex.hpp"

struct sqfs;

namespace rootlet::image {

class Crew;

// Where a block of data or of fragments lies in the image.
struct BlockAddress {
  std::uint64_t at = 0;      // bytes from the image's start; 0: none, the superblock is there
  std::uint32_t header = 0;  // size, and whether it is compressed, as squashfs has it

  bool operator==(const BlockAddress&) const = default;
};

// Decoded blocks, for all threads of a process. A block is decoded once however
// many ask for it: the first decodes, the others wait for it; nobody holds a
// lock meanwhile. Sets of eight, each with a lock of its own: the block that
// makes room is one that was handed out to its end, else the one that was
// longest not asked for.
class BlockCache {
  struct Slot;
  struct Set;

 public:
  // Holds a block as long as someone looks at it.
  class Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept { swap(other); }
    Pin& operator=(Pin&& other) noexcept {
      swap(other);
      return *this;
    }
    ~Pin();

    explicit operator bool() const { return data_ != nullptr; }
    const char* data() const { return data_; }
    std::size_t size() const { return size_; }
    // It was handed out to its end: a reader of whole files is done with it.
    void is_spent() { spent_ = true; }

   private:
    friend class BlockCache;
    void swap(Pin& other) noexcept {
      std::swap(set_, other.set_);
      std::swap(slot_, other.slot_);
      std::swap(data_, other.data_);
      std::swap(size_, other.size_);
      std::swap(spent_, other.spent_);
    }

    Set* set_ = nullptr;  // null: the block is in no slot, and freed with this
    Slot* slot_ = nullptr;
    char* data_ = nullptr;
    std::size_t size_ = 0;
    bool spent_ = false;
  };

  // Keeps at most `budget` bytes of blocks: less where memory is short, and with 0 none, for
  // who reads each once.
  BlockCache(sqfs* fs, std::size_t budget);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // The decoded block. Whoever has to decode it or wait for it steps aside in
  // `crew` first, if there is one. Empty: it cannot be read or decoded.
  Pin get(const BlockAddress& address, Crew* crew);

  // It is there, or someone decodes it.
  bool has(const BlockAddress& address);

  // Decodes a block that nobody waits for yet. A damaged one is left alone:
  // whoever wants it will see.
  void fetch(const BlockAddress& address);

  // Gives all memory back that nobody looks at.
  void release();

 private:
  enum class Search {
    hit,
    busy,
    vacant,
    full
  };
  Search search(Set& set, const BlockAddress& address, Slot*& slot);
  Set& set_of(std::uint64_t at);
  char* bytes_of(const Slot& slot) const;
  bool fill(Set& set, Slot& slot, const BlockAddress& address);
  Pin pin(Set& set, Slot& slot);
  Pin get_alone(const BlockAddress& address);

  sqfs* fs_;
  std::size_t stride_;
  std::size_t size_ = 0;  // of the mapping
  char* memory_ = nullptr;
  char* first_ = nullptr;                // where blocks begin in it
  std::atomic<std::uint32_t> taken_{0};  // places that slots have
  std::unique_ptr<Set[]> sets_;
  std::uint64_t set_count_ = 0;
};

// Reads and decodes one block into `out`, which has room for a whole one.
bool decode_block(const sqfs* fs, const BlockAddress& address, char* out, std::size_t& size);

}  // namespace rootlet::image
