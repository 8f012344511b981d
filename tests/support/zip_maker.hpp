// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rootlet::test {

// Writes zip archives byte by byte, so that a test can say what no archiver
// would. Checksums are left 0: the reader under test mounts, it does not check.
class ZipMaker {
 public:
  struct Member {
    std::string name;
    std::string bytes = "";
    unsigned method = 0, flags = 0;
    std::string local_name = "";     // what the local header says instead
    std::string local_extra = "";    // alignment
    bool large = false;              // sizes and offset in a zip64 field
    std::uint64_t wrong_header = 0;  // told instead of the local header's place
    std::uint64_t wrong_size = 0;    // told instead of the size in the archive
  };

  explicit ZipMaker(std::string prefix = "") : bytes_(std::move(prefix)) {}

  ZipMaker& add(const Member& member) {
    const std::uint64_t header = member.wrong_header != 0 ? member.wrong_header : bytes_.size();
    const std::uint64_t stored = member.wrong_size != 0 ? member.wrong_size : member.bytes.size();
    const std::string& local = member.local_name.empty() ? member.name : member.local_name;
    bytes_ += "PK\3\4" + number(20, 2) + number(member.flags, 2) + number(member.method, 2) +
              number(0, 8) + number(stored, 4) + number(stored, 4) + number(local.size(), 2) +
              number(member.local_extra.size(), 2) + local + member.local_extra + member.bytes;
    std::string extra;
    if (member.large)
      extra =
          number(1, 2) + number(24, 2) + number(stored, 8) + number(stored, 8) + number(header, 8);
    directory_ += "PK\1\2" + number(20, 2) + number(20, 2) + number(member.flags, 2) +
                  number(member.method, 2) + number(0, 8) + said(stored, member) +
                  said(stored, member) + number(member.name.size(), 2) + number(extra.size(), 2) +
                  number(0, 2) + number(0, 2) + number(0, 2) + number(0, 4) + said(header, member) +
                  member.name + extra;
    ++entries_;
    return *this;
  }

  struct End {
    bool zip64 = false;
    std::string comment = "";
    std::uint64_t more_entries = 0;  // told, and not there
    std::uint64_t less_offset = 0;   // as of an archive whose prefix was not counted
    std::uint64_t longer_directory = 0;
    std::uint64_t wrong_end64 = 0;
  };
  std::string finish(const End& end) const {
    std::string all = bytes_ + directory_;
    const std::uint64_t entries = entries_ + end.more_entries;
    const std::uint64_t size = directory_.size() + end.longer_directory;
    const std::uint64_t offset = bytes_.size() - end.less_offset;
    if (end.zip64) {
      const std::uint64_t at = end.wrong_end64 != 0 ? end.wrong_end64 : all.size();
      all += "PK\6\6" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 4) +
             number(0, 4) + number(entries, 8) + number(entries, 8) + number(size, 8) +
             number(offset, 8);
      all += "PK\6\7" + number(0, 4) + number(at, 8) + number(1, 4);
    }
    return all + "PK\5\6" + number(0, 4) + number(end.zip64 ? 0xffff : entries, 2) +
           number(end.zip64 ? 0xffff : entries, 2) + number(end.zip64 ? 0xffffffff : size, 4) +
           number(end.zip64 ? 0xffffffff : offset, 4) + number(end.comment.size(), 2) + end.comment;
  }
  std::string finish() const { return finish(End()); }

 private:
  static std::string number(std::uint64_t value, int size) {
    std::string out;
    for (int i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
    return out;
  }
  static std::string said(std::uint64_t value, const Member& member) {
    return number(member.large ? 0xffffffff : value, 4);
  }

  std::string bytes_, directory_;
  std::uint64_t entries_ = 0;
};

}  // namespace rootlet::test
