// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/payload/zip_archive.hpp"

namespace rootlet {

// A new stored entry: a file's bytes, or a text.
struct NewEntry {
  std::string name;
  std::string text;  // where there is no `file`
  std::optional<FileRange> file;
  std::uint32_t crc = 0;  // of the content
  bool aligned = false;   // its first byte at a multiple of 4096
};

// The directory of an archive as it will be: the lines that stay, byte for
// byte, and those of the new entries.
class JarWriter {
 public:
  // `archive` must be unchanged until finish(). Lines of entries called as in
  // `dropped` are left out; their bytes stay where they are.
  static Result<JarWriter> begin(const ZipArchive& archive, const std::set<std::string>& dropped);

  // Writes the entry to `fd`, where the old directory stood or behind the last
  // new entry. Bytes are copied by the kernel, and shared where it can
  // (copy_file_range(2), on btrfs and XFS a reflink).
  Status add(int fd, const NewEntry& entry);

  // Writes the directory and its end, and cuts the file there.
  Status finish(int fd);

 private:
  JarWriter(std::string name, std::uint64_t base, std::uint64_t at)
      : name_(std::move(name)), base_(base), at_(at) {}

  std::string name_;    // of the jar, for messages
  std::uint64_t base_;  // subtracted from every place that the archive tells
  std::uint64_t at_;    // where the next byte goes, from the file's start
  std::uint64_t entries_ = 0;
  std::string directory_, comment_;
};

// Copies a part of a file to byte `at` of another; `name` is for messages.
Status copy_range(const FileRange& from, int to, std::uint64_t at, const std::string& name);

}  // namespace rootlet
