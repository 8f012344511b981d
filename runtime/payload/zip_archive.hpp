// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/payload/zip.hpp"

namespace rootlet {

// One line of an archive's directory.
struct ZipEntry {
  std::string name;
  unsigned flags = 0, method = 0;      // method 0: stored
  std::uint32_t crc = 0;               // of the content
  std::uint64_t stored = 0, size = 0;  // bytes in the archive, and unpacked
  std::uint64_t header = 0;            // its local header, bytes from the archive's start
  std::uint64_t record = 0;            // its line of the directory, from the archive's start
  std::size_t record_size = 0;         // bytes
};

// The directory of a zip archive, checked as it is read. Structures and numbers:
// PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 (local header), 4.3.12 (directory),
// 4.3.14 to 4.3.16 (its end), 4.5.3 (zip64).
class ZipArchive {
 public:
  // `name` is for messages.
  static Result<ZipArchive> open(const FileRange& range, const std::string& name);

  // Calls `see` with every entry of the directory, until it says false.
  Status each(const std::function<bool(const ZipEntry&)>& see) const;

  // Where the entry's bytes are, by its local header: the length of what
  // stands before them may differ from what the directory says.
  Result<FileRange> content(const ZipEntry& entry) const;

  const FileRange& range() const { return range_; }
  const std::string& name() const { return name_; }
  std::uint64_t entries() const { return entries_; }
  // All in bytes from the archive's start: the directory, its end, and what was
  // left out of all offsets that the archive tells (a program in front of it).
  std::uint64_t directory() const { return directory_; }
  std::uint64_t directory_end() const { return directory_end_; }
  std::uint64_t prefix() const { return prefix_; }
  const std::string& comment() const { return comment_; }

 private:
  class Window;
  ZipArchive(const FileRange& range, std::string name) : range_(range), name_(std::move(name)) {}

  Status read(unsigned char* out, std::size_t size, std::uint64_t at) const;
  Status find_end();
  Status read_end(const unsigned char* end, std::uint64_t at);
  Status read_end64(std::uint64_t end);
  Status numbers(const unsigned char* fixed, const unsigned char* extra, std::size_t length,
                 ZipEntry& entry) const;

  FileRange range_;
  std::string name_;
  std::uint64_t entries_ = 0;
  std::uint64_t directory_ = 0, directory_end_ = 0, directory_size_ = 0;
  std::uint64_t said_directory_ = 0, prefix_ = 0;
  std::string comment_;
};

}  // namespace rootlet
