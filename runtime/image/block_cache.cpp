// SPDX-License-Identifier: MIT
#include "runtime/image/block_cache.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "runtime/image/crew.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/image/workspace.hpp"

extern "C" ssize_t sqfs_pread(int fd, void* buffer, std::size_t count, off_t offset);

namespace rootlet::image {
namespace {

constexpr std::size_t kWays = 8;
constexpr std::size_t kPage = 4096;
// Memory comes by the huge page where the kernel has them (madvise(2), Linux
// 2.6.38): to have a page of 4 KiB takes a trap, 3 us in a virtual machine
// (2026-11), and a block has 32. A short start needs less than one of them, so
// that the first blocks do without.
constexpr std::size_t kHuge = 2u << 20, kFirstBytes = 256u << 10;

enum State : std::uint32_t {
  kEmpty,
  kDecoding,
  kReady,
  kFailed
};

}  // namespace

struct BlockCache::Slot {
  os::FutexWord state{kEmpty};
  BlockAddress
      address;  // all of it: an image may lie about one of two sizes; 0: nobody can find it
  std::uint64_t asked = 0;
  std::uint32_t pins = 0;
  std::uint32_t size = 0;
  std::uint32_t place = 0;  // where its bytes lie, counted from 1; 0: it never had any
  bool spent = false;
};

struct BlockCache::Set {
  os::Mutex lock;
  std::uint64_t clock = 0;
  Slot slots[kWays];
};

[[gnu::cold]] BlockCache::BlockCache(sqfs* fs, std::size_t budget)
    : fs_(fs), stride_(std::max<std::size_t>(fs->sb.block_size, kPage)) {
  if (budget == 0) return;
  // At least one set: a fragment block that every small file needs is decoded
  // again and again otherwise.
  set_count_ = std::max<std::size_t>(budget / (stride_ * kWays), 1);
  size_ = set_count_ * kWays * stride_;
  const bool huge = size_ >= 2 * kHuge;
  if (huge) size_ += kHuge;
  void* memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;  // each decodes alone then
  memory_ = first_ = static_cast<char*>(memory);
  if (huge) {
    const auto at = reinterpret_cast<std::uintptr_t>(memory) + kFirstBytes;
    first_ += (kHuge - at % kHuge) % kHuge;
    // Where it is refused, pages are small.
    char* const rest = first_ + kFirstBytes;
    (void)::madvise(first_, kFirstBytes, MADV_NOHUGEPAGE);
    (void)::madvise(rest, static_cast<std::size_t>(memory_ + size_ - rest), MADV_HUGEPAGE);
  }
  sets_ = std::make_unique<Set[]>(set_count_);
}

BlockCache::~BlockCache() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

BlockCache::Pin::~Pin() {
  if (set_ == nullptr) {
    std::free(data_);
    return;
  }
  const std::lock_guard hold(set_->lock);
  --slot_->pins;
  slot_->spent |= spent_;
}

BlockCache::Set& BlockCache::set_of(std::uint64_t at) {
  return sets_[((at * 0x9E3779B97F4A7C15u) >> 32) % set_count_];
}

char* BlockCache::bytes_of(const Slot& slot) const { return first_ + (slot.place - 1) * stride_; }

// With the set's lock held. A vacant slot becomes the caller's to fill; in all
// but `full` the slot is pinned.
BlockCache::Search BlockCache::search(Set& set, const BlockAddress& address, Slot*& slot) {
  Slot* room = nullptr;
  const auto rank = [](const Slot& s) { return s.address.at == 0 ? 0 : s.spent ? 1 : 2; };
  for (Slot& s : set.slots) {
    if (s.address == address) {
      slot = &s;
      ++s.pins;
      s.asked = ++set.clock;
      return s.state.load(std::memory_order_acquire) == kReady ? Search::hit : Search::busy;
    }
    if (s.pins != 0) continue;
    if (room == nullptr || rank(s) < rank(*room) ||
        (rank(s) == rank(*room) && s.asked < room->asked)) {
      room = &s;
    }
  }
  if (room == nullptr) return Search::full;
  if (room->place == 0) room->place = taken_.fetch_add(1, std::memory_order_relaxed) + 1;
  room->state.store(kDecoding, std::memory_order_relaxed);
  room->address = address;
  room->asked = ++set.clock;
  room->pins = 1;
  room->spent = false;
  slot = room;
  return Search::vacant;
}

bool BlockCache::fill(Set& set, Slot& slot, const BlockAddress& address) {
  std::size_t size = 0;
  const bool sound = decode_block(fs_, address, bytes_of(slot), size);
  bool waited = false;
  {
    const std::lock_guard hold(set.lock);
    slot.size = static_cast<std::uint32_t>(size);
    if (!sound) slot.address = {};
    slot.state.store(sound ? kReady : kFailed, std::memory_order_release);
    waited = slot.pins > 1;
  }
  if (waited) os::wake_all(slot.state);
  return sound;
}

BlockCache::Pin BlockCache::pin(Set& set, Slot& slot) {
  Pin pin;
  pin.set_ = &set;
  pin.slot_ = &slot;
  const bool ready = slot.state.load(std::memory_order_acquire) == kReady;
  pin.data_ = ready ? bytes_of(slot) : nullptr;
  pin.size_ = slot.size;
  return pin;
}

BlockCache::Pin BlockCache::get_alone(const BlockAddress& address) {
  Pin pin;
  pin.data_ = static_cast<char*>(std::malloc(stride_));
  if (pin.data_ == nullptr || !decode_block(fs_, address, pin.data_, pin.size_)) return {};
  return pin;
}

BlockCache::Pin BlockCache::get(const BlockAddress& address, Crew* crew) {
  if (address.at == 0) return {};
  if (memory_ == nullptr) return get_alone(address);
  Set& set = set_of(address.at);
  Slot* slot = nullptr;
  Search found;
  {
    const std::lock_guard hold(set.lock);
    found = search(set, address, slot);
  }
  if (found == Search::hit) return pin(set, *slot);
  if (crew != nullptr) crew->step_aside();
  if (found == Search::full) return get_alone(address);
  if (found == Search::vacant) {
    fill(set, *slot, address);
  } else {
    while (slot->state.load(std::memory_order_acquire) == kDecoding) {
      os::wait_while(slot->state, kDecoding);
    }
  }
  return pin(set, *slot);
}

bool BlockCache::has(const BlockAddress& address) {
  if (memory_ == nullptr) return true;  // there is no place to fetch it to
  Set& set = set_of(address.at);
  const std::lock_guard hold(set.lock);
  return std::any_of(std::begin(set.slots), std::end(set.slots),
                     [&](const Slot& slot) { return slot.address == address; });
}

void BlockCache::fetch(const BlockAddress& address) {
  if (memory_ == nullptr || address.at == 0) return;
  Set& set = set_of(address.at);
  Slot* slot = nullptr;
  Search found;
  {
    const std::lock_guard hold(set.lock);
    found = search(set, address, slot);
  }
  if (found == Search::full) return;
  if (found == Search::vacant) fill(set, *slot, address);
  pin(set, *slot);  // and lets it go
}

// All at once if nobody looks at any: a huge page goes as a whole.
[[gnu::cold]] void BlockCache::release() {
  if (memory_ == nullptr) return;
  bool pinned = false;
  const auto each = [this](const auto& act) {
    for (std::uint64_t i = 0; i < set_count_; ++i) act(sets_[i]);
  };
  each([](Set& set) { set.lock.lock(); });
  each([&](Set& set) {
    for (const Slot& slot : set.slots) pinned = pinned || slot.pins != 0;
  });
  each([&](Set& set) {
    for (Slot& slot : set.slots) {
      if (slot.pins != 0) continue;
      slot.address = {};
      slot.state.store(kEmpty, std::memory_order_relaxed);
      if (pinned && slot.place != 0) ::madvise(bytes_of(slot), stride_, MADV_DONTNEED);
      if (!pinned) slot.place = 0;
    }
  });
  if (!pinned) {
    taken_ = 0;
    ::madvise(memory_, size_, MADV_DONTNEED);
  }
  each([](Set& set) { set.lock.unlock(); });
}

bool decode_block(const sqfs* fs, const BlockAddress& address, char* out, std::size_t& size) {
  const std::size_t room = fs->sb.block_size;
  bool compressed = false;
  std::uint32_t stored = 0;
  sqfs_data_header(address.header, &compressed, &stored);
  if (stored == 0 || stored > room || address.at > fs->sb.bytes_used ||
      stored > fs->sb.bytes_used - address.at) {
    return false;
  }
  const auto at = static_cast<off_t>(fs->offset + address.at);
  char* in = compressed ? Workspace::mine().stored.get(room) : out;
  if (in == nullptr || sqfs_pread(fs->fd, in, stored, at) != static_cast<ssize_t>(stored)) {
    return false;
  }
  size = compressed ? room : stored;
  return !compressed || fs->decompressor(in, stored, out, &size) == SQFS_OK;
}

}  // namespace rootlet::image
