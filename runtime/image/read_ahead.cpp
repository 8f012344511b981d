// SPDX-License-Identifier: MIT
#include <algorithm>

#include "runtime/image/crew.hpp"
#include "runtime/image/file_reader.hpp"
#include "runtime/image/squashfuse.hpp"

// What readers will want next: of a file that is read from its start to its end,
// the blocks behind; of a tree that is walked, the files behind. Only an idle
// thread decodes it, one block at a time, so nobody who waits waits longer than
// for one block.
namespace rootlet::image {
namespace {

// So far ahead of a reader, at least one block and at most as many as there is
// room for offers.
constexpr std::size_t kAhead = 256u << 10;
constexpr std::size_t kMostBlocks = 8;
// Files looked at beyond the one just read: small ones share their fragments.
constexpr int kFilesAhead = 4;

bool is_compressed(const BlockAddress& block) {
  bool compressed = false;
  std::uint32_t stored = 0;
  sqfs_data_header(block.header, &compressed, &stored);
  return compressed && stored > 0;
}

}  // namespace

// True when someone will have to decode it.
bool FileReader::offer_block(const BlockAddress& address, bool now, Crew& crew) {
  // What is stored as it is the kernel reads ahead itself, from the image's file.
  if (!is_compressed(address) || cache_.has(address)) return false;
  crew.offer(address, now);
  return true;
}

// How many files in a row were read before this one, at its first question.
std::uint32_t FileReader::walked_to(File& file, std::uint64_t id) {
  const std::uint32_t walked = file.walked.load(std::memory_order_relaxed);
  if (walked > 0 || likely_next_[id % kWalkers].load(std::memory_order_relaxed) != id)
    return walked;
  file.walked.store(1, std::memory_order_relaxed);
  return 1;
}

void FileReader::look_ahead(File& file, std::uint64_t id, std::uint64_t offset, std::uint64_t end,
                            Crew& crew) {
  const std::uint64_t block_size = fs_->sb.block_size;
  const bool in_order = file.expected.exchange(end, std::memory_order_relaxed) == offset;
  if (!in_order) return;
  const std::uint32_t walked =
      offset == 0 ? walked_to(file, id) : file.walked.load(std::memory_order_relaxed);
  const std::size_t ahead = std::clamp<std::size_t>(kAhead / block_size, 1, kMostBlocks);
  const std::uint64_t number = (end + block_size - 1) / block_size;
  std::uint64_t last = std::min<std::uint64_t>(number + ahead, file.block_count);
  // The first question of a file says nothing yet, unless the files before it were read too.
  if (offset == 0 && walked == 0) last = number;
  // The farthest first: a reader in haste asks for the nearest at once, and whoever hears
  // that decodes it beside the one that decodes the next.
  for (; last > number; --last) {
    const auto blocks = index_.blocks(file, (last - 1) / FileIndex::kWindow);
    if (blocks == nullptr) return;
    offer_block((*blocks)[(last - 1) % FileIndex::kWindow], false, crew);
  }
  if (end < file.size || file.next_id == 0) return;

  std::uint64_t next_id = file.next_id;
  if (walked == 0) {
    // One file read is no walk; the next one's inode is not looked at for it.
    likely_next_[next_id % kWalkers].store(next_id, std::memory_order_relaxed);
    return;
  }
  for (int i = 0; i < kFilesAhead && next_id != 0; ++i) {
    bool damaged = false;
    const FilePointer next = index_.find(next_id, damaged);
    if (next == nullptr) return;
    next->walked.store(walked + 1, std::memory_order_relaxed);
    offer_file(*next, crew);
    if (next->block_count > 0) return;
    next_id = next->next_id;
  }
}

void FileReader::offer_file(File& file, Crew& crew) {
  const std::uint64_t wanted = std::min<std::uint64_t>(file.block_count, 2);
  const auto blocks = wanted > 0 ? index_.blocks(file, 0) : nullptr;
  for (std::uint64_t i = 0; blocks != nullptr && i < wanted; ++i) {
    offer_block((*blocks)[i], false, crew);
  }
  if (file.has_tail && file.block_count < 2) offer_block(file.tail, false, crew);
}

}  // namespace rootlet::image
