// SPDX-License-Identifier: MIT
#include "runtime/payload/zip_archive.hpp"

#include <unistd.h>

#include <algorithm>
#include <vector>

namespace rootlet {
namespace {

constexpr std::string_view kFind = "find the image in the archive";
constexpr std::size_t kEndSize = 22, kLocatorSize = 20, kEnd64Size = 56;
constexpr std::size_t kCentralSize = 46, kLocalSize = 30;
constexpr std::uint32_t kSays64 = 0xffffffff;  // "see the zip64 field"

Error broken(const std::string& archive, std::string_view reason) {
  return plain_error(kFind, archive, reason,
                     "the archive is damaged or was made to mislead; build it again");
}

std::uint64_t little(const unsigned char* bytes, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = (value << 8) | bytes[i];
  return value;
}

bool is_signed(const unsigned char* bytes, unsigned char third, unsigned char fourth) {
  return bytes[0] == 'P' && bytes[1] == 'K' && bytes[2] == third && bytes[3] == fourth;
}

}  // namespace

Result<ZipArchive> ZipArchive::open(const FileRange& range, const std::string& name) {
  ZipArchive archive(range, name);
  TRY(archive.find_end());
  if (archive.directory_size_ > archive.directory_end_) {
    return broken(name, "its directory is cut short");
  }
  archive.directory_ = archive.directory_end_ - archive.directory_size_;
  // Offsets count from the archive's first byte. A program in front of it may
  // have been counted (as java wants it) or not.
  if (archive.said_directory_ > archive.directory_) {
    return broken(name, "its directory is not where it says");
  }
  archive.prefix_ = archive.directory_ - archive.said_directory_;
  return archive;
}

// A piece of the directory: it may be of any length, our memory may not.
class ZipArchive::Window {
 public:
  explicit Window(const ZipArchive& archive) : archive_(archive) {}
  // Valid until the next call.
  Result<const unsigned char*> bytes(std::uint64_t at, std::size_t size) {
    if (archive_.directory_end_ - at < size) {
      return broken(archive_.name_, "its directory is too short");
    }
    if (at < at_ || at + size > at_ + bytes_.size()) {
      constexpr std::size_t kPiece = 1u << 18;  // more than the longest entry, 46 + 3 * 65535
      bytes_.resize(std::min<std::uint64_t>(kPiece, archive_.directory_end_ - at));
      at_ = at;
      TRY(archive_.read(bytes_.data(), bytes_.size(), at));
    }
    return static_cast<const unsigned char*>(bytes_.data() + (at - at_));
  }

 private:
  const ZipArchive& archive_;
  std::vector<unsigned char> bytes_;
  std::uint64_t at_ = 0;
};

// `at` counts from the archive's start.
Status ZipArchive::read(unsigned char* out, std::size_t size, std::uint64_t at) const {
  if (at > range_.length || size > range_.length - at) {
    return broken(name_, "it ends too early");
  }
  while (size > 0) {
    const ssize_t got = ::pread(range_.fd, out, size, static_cast<off_t>(range_.offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error(kFind, name_);
    if (got == 0) return broken(name_, "it ends too early");
    out += got;
    at += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return Done{};
}

Status ZipArchive::each(const std::function<bool(const ZipEntry&)>& see) const {
  Window window(*this);
  std::uint64_t at = directory_;
  for (std::uint64_t count = 0; count < entries_; ++count) {
    const unsigned char* fixed = TRY(window.bytes(at, kCentralSize));
    if (!is_signed(fixed, 1, 2)) return broken(name_, "its directory holds something else");
    const std::size_t name = little(fixed + 28, 2), extra = little(fixed + 30, 2);
    const std::size_t all = kCentralSize + name + extra + little(fixed + 32, 2);
    fixed = TRY(window.bytes(at, all));
    const unsigned char* text = fixed + kCentralSize;
    ZipEntry entry;
    entry.name.assign(reinterpret_cast<const char*>(text), name);
    entry.flags = static_cast<unsigned>(little(fixed + 8, 2));
    entry.method = static_cast<unsigned>(little(fixed + 10, 2));
    entry.crc = static_cast<std::uint32_t>(little(fixed + 16, 4));
    entry.record = at;
    entry.record_size = all;
    TRY(numbers(fixed, text + name, extra, entry));
    if (!see(entry)) return Done{};
    at += all;
  }
  if (at != directory_end_) return broken(name_, "its directory has entries that it hides");
  return Done{};
}

Result<FileRange> ZipArchive::content(const ZipEntry& entry) const {
  unsigned char fixed[kLocalSize];
  if (entry.header > directory_ - std::min<std::uint64_t>(directory_, kLocalSize)) {
    return broken(name_, "an entry lies outside of it");
  }
  TRY(read(fixed, sizeof fixed, entry.header));
  if (!is_signed(fixed, 3, 4) || little(&fixed[8], 2) != entry.method ||
      little(&fixed[26], 2) != entry.name.size()) {
    return broken(name_, "an entry and the directory contradict each other");
  }
  std::string name(entry.name.size(), '\0');
  TRY(read(reinterpret_cast<unsigned char*>(name.data()), name.size(), entry.header + kLocalSize));
  if (name != entry.name) {
    return broken(name_, "an entry and the directory contradict each other");
  }
  const std::uint64_t data = entry.header + kLocalSize + name.size() + little(&fixed[28], 2);
  if (data > directory_ || entry.stored > directory_ - data) {
    return broken(name_, "an entry reaches into the directory");
  }
  return FileRange{range_.fd, range_.offset + data, entry.stored};
}

// The end record is the last thing but for a comment, whose length it tells.
Status ZipArchive::find_end() {
  constexpr std::size_t kLongestComment = 65535;
  const std::size_t size = std::min<std::uint64_t>(range_.length, kEndSize + kLongestComment);
  const std::uint64_t from = range_.length - size;
  std::vector<unsigned char> tail(size);
  TRY(read(tail.data(), size, from));
  for (std::size_t back = kEndSize; back <= size; ++back) {
    const unsigned char* end = &tail[size - back];
    if (!is_signed(end, 5, 6) || little(end + 20, 2) != back - kEndSize) continue;
    comment_.assign(reinterpret_cast<const char*>(end + kEndSize), back - kEndSize);
    return read_end(end, range_.length - back);
  }
  return plain_error(kFind, name_, "it is no zip archive, or it was cut short",
                     "a jar or zip is wanted in front of !/");
}

Status ZipArchive::read_end(const unsigned char* end, std::uint64_t at) {
  directory_end_ = at;
  entries_ = little(end + 10, 2);
  directory_size_ = little(end + 12, 4);
  said_directory_ = little(end + 16, 4);
  const bool large = entries_ == 0xffff || directory_size_ == kSays64 || said_directory_ == kSays64;
  if (large) return read_end64(at);
  if (little(end + 4, 2) != 0 || little(end + 6, 2) != 0 || little(end + 8, 2) != entries_) {
    return broken(name_, "it is one part of several");
  }
  return Done{};
}

Status ZipArchive::read_end64(std::uint64_t end) {
  unsigned char locator[kLocatorSize], record[kEnd64Size];
  if (end < kLocatorSize + kEnd64Size) return broken(name_, "its zip64 record is missing");
  TRY(read(locator, sizeof locator, end - kLocatorSize));
  // 65535 entries exactly, and no zip64: it is what it says.
  if (!is_signed(locator, 6, 7)) {
    return directory_size_ == kSays64 || said_directory_ == kSays64
               ? Status(broken(name_, "its zip64 record is missing"))
               : Status(Done{});
  }
  const std::uint64_t at = little(&locator[8], 8);
  if (at > end - kLocatorSize - kEnd64Size) return broken(name_, "its zip64 record is missing");
  TRY(read(record, sizeof record, at));
  if (!is_signed(record, 6, 6) || little(&record[24], 8) != little(&record[32], 8)) {
    return broken(name_, "its zip64 record is missing");
  }
  entries_ = little(&record[32], 8);
  directory_size_ = little(&record[40], 8);
  said_directory_ = little(&record[48], 8);
  directory_end_ = at;
  return Done{};
}

// Sizes and offset, from the zip64 field where the short ones are full: it
// holds those that are, in this order (APPNOTE 4.5.3).
Status ZipArchive::numbers(const unsigned char* fixed, const unsigned char* extra,
                           std::size_t length, ZipEntry& entry) const {
  entry.size = little(fixed + 24, 4);
  entry.stored = little(fixed + 20, 4);
  entry.header = little(fixed + 42, 4);
  const unsigned char* field = nullptr;
  std::size_t left = 0;
  for (std::size_t at = 0; at + 4 <= length;) {
    const std::size_t size = little(extra + at + 2, 2);
    if (size > length - at - 4) return broken(name_, "an entry's extra field is too long");
    if (little(extra + at, 2) == 1) {
      field = extra + at + 4;
      left = size;
      break;
    }
    at += 4 + size;
  }
  for (std::uint64_t* number : {&entry.size, &entry.stored, &entry.header}) {
    if (*number != kSays64) continue;
    if (left < 8) return broken(name_, "an entry's zip64 field is missing");
    *number = little(field, 8);
    field += 8;
    left -= 8;
  }
  if (entry.header > range_.length) return broken(name_, "an entry lies outside of it");
  entry.header += prefix_;
  return Done{};
}

}  // namespace rootlet
